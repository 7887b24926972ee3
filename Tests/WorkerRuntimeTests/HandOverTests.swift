import AudioStreams
import EarshotModel
import NIOCore
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import WorkerRuntime

@Suite("Worker: taking, sharing and giving back partitions", .timeLimit(.minutes(2)))
struct HandOverTests {
    @Test("A shutdown commits what is held and gives every lease back", arguments: Store.allCases)
    func shutdown(store: Store) async throws {
        var limits = RuntimeFixture.limits
        limits.laneIdle = .seconds(600)
        try await RuntimeFixture.with(store, limits: limits) { fixture in
            var ledger = ByteLedger()
            var devices: [TestDevice] = []
            for number in 0..<8 { devices.append(try await TestDevice(fixture, user: "user\(number)")) }
            let seen = Mutex(0)
            let factory = ByteCounter.Factory(bytesPerEvent: .max) { _, _ in seen.withLock { $0 += 1 } }
            let stopped = try await fixture.withWorker(factory: factory) { worker in
                for index in devices.indices { try await devices[index].send(4, noting: &ledger) }
                try await eventually("all is absorbed", isTrue: { seen.withLock { $0 == 4 * devices.count } })
                #expect(try await fixture.events().isEmpty)
                return worker
            }
            #expect(stopped.metrics.timings("supervision.drain.duration") == 1)
            #expect(stopped.metrics.total("supervision.drain.timeouts") == 0)
            #expect(ledger.violations(in: try await fixture.events()).isEmpty)
            let leases = try await fixture.handOff.sightings(of: fixture.all, group: fixture.group)
            #expect(leases.count == fixture.partitions)
            #expect(leases.values.allSatisfy { $0.isReleased && $0.owner == stopped.member.description })
            #expect(try await fixture.handOff.members(kind: fixture.group.name).isEmpty)
        }
    }

    @Test("A lane that waits, or does not come back, holds up no shutdown", arguments: Store.allCases)
    func shutdownWhileWaiting(store: Store) async throws {
        var limits = RuntimeFixture.limits
        // Its last quarter is for giving the leases back, also on a machine that is busy with other tests.
        limits.handOverBudget = .seconds(16)
        try await RuntimeFixture.with(store, partitions: 2, limits: limits) { fixture in
            var ledger = ByteLedger()
            let users = ["waits", "hangs", "works"]
            var devices: [TestDevice] = []
            for user in users { devices.append(try await TestDevice(fixture, user: user)) }
            let waits = devices[0].id
            let hangs = devices[1].id
            let reached = Mutex<Set<SessionID>>([])
            let factory = ByteCounter.Factory(bytesPerEvent: .max) { session, _ in
                reached.withLock { _ = $0.insert(session) }
                if session == waits { throw LaneFailure.dependency(name: "test", reason: "for ever") }
                // tidy:allow Task.sleep a lane that does not come back by itself is what the test is about
                if session == hangs { try await Task.sleep(for: .seconds(600)) }
            }
            let (began, metrics) = try await fixture.withWorker(factory: factory) { worker async throws in
                for index in devices.indices { try await devices[index].send(4, noting: &ledger) }
                try await eventually("all are reached", isTrue: { reached.withLock { $0.count == 3 } })
                return (ContinuousClock.now, worker.metrics)
            }
            #expect(metrics.total("supervision.drain.timeouts") == 1)
            let took = ContinuousClock.now - began
            let leases = try await fixture.handOff.sightings(of: fixture.all, group: fixture.group)
            #expect(leases.values.allSatisfy { $0.isReleased }, "after \(took)")
            // The next worker has everything, once.
            try await fixture.withWorker("worker-1", factory: ByteCounter.Factory(bytesPerEvent: 20)) { _ in
                for device in devices { try await device.end() }
                let events = try await fixture.until("all ends") { $0.count(where: \.isEnd) == devices.count }
                #expect(ledger.violations(in: events).isEmpty)
            }
        }
    }

    @Test(
        "Two workers share the partitions, and who stays takes over what the other gives back",
        arguments: Store.allCases)
    func rebalancing(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 8) { fixture in
            var ledger = ByteLedger()
            var devices: [TestDevice] = []
            for number in 0..<24 { devices.append(try await TestDevice(fixture, user: "user\(number)")) }
            func feed() async throws {
                for _ in 0..<4 {
                    for index in devices.indices { try await devices[index].send(3, noting: &ledger) }
                }
            }
            let factory = ByteCounter.Factory(bytesPerEvent: 100)
            try await fixture.withWorker("worker-0", factory: factory) { first in
                try await fixture.until(first.member, has: 8)
                try await feed()
                try await fixture.withWorker("worker-1", factory: factory) { second in
                    try await fixture.until(second.member, has: 4)
                    try await fixture.until(first.member, has: 4)
                    try await feed()
                    #expect(second.metrics.total("worker.leases.taken") == 4)
                }
                try await fixture.until(first.member, has: 8)
                try await feed()
                for device in devices { try await device.end() }
                let events = try await fixture.until("all ends") { $0.count(where: \.isEnd) == devices.count }
                #expect(ledger.violations(in: events).isEmpty)
                #expect(first.count("commits.refused") == 0)
                try await fixture.untilDrained()
            }
        }
    }

    @Test(
        "A worker that vanished is replaced when its leases have lapsed, and nothing is lost or doubled",
        arguments: Store.allCases)
    func vanished(store: Store) async throws {
        var limits = RuntimeFixture.limits
        limits.leaseLapse = .milliseconds(500)
        // Far less than is waiting: a replay must not stop reading for ever on what others hold.
        limits.partitionUnabsorbedMaximum = 20
        limits.readCount = 10
        limits.laneInboxEntriesMaximum = 8
        limits.waitingLaneEntriesMaximum = 2
        try await RuntimeFixture.with(store, partitions: 2, limits: limits) { fixture in
            var ledger = ByteLedger()
            var devices: [TestDevice] = []
            for number in 0..<10 { devices.append(try await TestDevice(fixture, user: "user\(number)")) }
            let waits = devices[3].id
            let seen = Mutex(0)
            let failures = Mutex(0)
            let factory = ByteCounter.Factory(bytesPerEvent: 150) { _, _ in seen.withLock { $0 += 1 } }
            let dead = fixture.makeWorker("worker-0", factory: factory)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await dead.services.run() }
                for _ in 0..<12 {
                    for index in devices.indices { try await devices[index].send(2, noting: &ledger) }
                }
                try await eventually("it works", isTrue: { seen.withLock { $0 > 50 } })
                tasks.cancelAll()
                while let result = await tasks.nextResult() { if case .failure(let error) = result { _ = error } }
            }
            try await abandonLeases(fixture)
            for _ in 0..<12 {
                for index in devices.indices { try await devices[index].send(2, noting: &ledger) }
            }
            for device in devices { try await device.end() }
            // One lane waits for something during the replay: the others go on.
            let replacement = ByteCounter.Factory(bytesPerEvent: 150) { session, _ in
                guard session == waits,
                    failures.withLock({
                        $0 += 1
                        return $0 <= 3
                    })
                else { return }
                throw LaneFailure.dependency(name: "test", reason: "three times")
            }
            try await fixture.withWorker("worker-1", factory: replacement) { worker in
                let events = try await fixture.until("all ends") { $0.count(where: \.isEnd) == devices.count }
                #expect(ledger.violations(in: events).isEmpty)
                try await fixture.untilDrained()
                #expect(worker.count("leases.taken") == 2)
            }
        }
    }

    /// A cancelled worker may have given leases back; a killed one could not: takes each as somebody who is gone.
    private func abandonLeases(_ fixture: RuntimeFixture) async throws {
        let nobody = Incarnation(startingAs: "gone")
        let seen = try await fixture.handOff.sightings(of: fixture.all, group: fixture.group)
        let attempts = fixture.all.map { Lease.Attempt(partition: $0, owner: nobody, lapsed: seen[$0]) }
        let outcomes = try await fixture.handOff.acquire(attempts, group: fixture.group, stream: .audio)
        #expect(outcomes.values.allSatisfy { if case .granted = $0 { true } else { false } })
    }

    @Test(
        "An entry with three crashes is buried; its session's other audio and its bystanders are not",
        arguments: Store.allCases)
    func convicted(store: Store) async throws {
        var limits = RuntimeFixture.limits
        limits.leaseLapse = .milliseconds(300)
        try await RuntimeFixture.with(store, partitions: 1, limits: limits) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "u1")
            var bystander = try await TestDevice(fixture, user: "u2")
            try await device.send(6, noting: &ledger)
            try await bystander.send(6, noting: &ledger)
            var discarded = ByteLedger()
            let poison = try await device.send([.init(string: "poison")], noting: &discarded)
            try await device.send(6, noting: &ledger)
            let suspect = try await bystander.send(6, noting: &ledger)
            for device in [device, bystander] { try await device.end() }
            // Owners that died with an entry in hand: three times the poison, once a bystander.
            let hands = [
                "\(device.id)@\(poison)", "\(device.id)@\(poison)", "\(bystander.id)@\(suspect)",
                "\(device.id)@\(poison)",
            ]
            for (number, hand) in hands.enumerated() {
                let partition = Partition(0)
                let seen = try await fixture.handOff.sightings(of: [partition], group: fixture.group)[partition]
                let attempt = Lease.Attempt(
                    partition: partition, owner: Incarnation(startingAs: "dead-\(number)"), lapsed: seen)
                let outcome = try await fixture.handOff.acquire([attempt], group: fixture.group, stream: .audio)
                guard case .granted(let grant)? = outcome[partition] else { throw Unexpected("no lease") }
                _ = try await fixture.handOff.takeInHand(
                    hand, clearing: nil, token: grant.token, group: fixture.group, partition: partition)
            }
            let touched = Mutex(false)
            let factory = ByteCounter.Factory(bytesPerEvent: 30) { _, frame in
                if frame.bytes == .init(string: "poison") { touched.withLock { $0 = true } }
            }
            try await fixture.withWorker(factory: factory) { worker in
                let events = try await fixture.until("both ends") { $0.count(where: \.isEnd) == 2 }
                #expect(ledger.violations(in: events).isEmpty)
                #expect(!touched.withLock(\.self) && worker.count("dead_letters") == 1)
                try await fixture.untilDrained()
            }
            // The crashes are forgotten with the replay.
            let partition = Partition(0)
            let attempt = Lease.Attempt(partition: partition, owner: Incarnation(startingAs: "next"))
            let outcome = try await fixture.handOff.acquire([attempt], group: fixture.group, stream: .audio)
            guard case .granted(let grant)? = outcome[partition] else { throw Unexpected("no lease") }
            #expect(grant.crashes.isEmpty)
        }
    }
}
