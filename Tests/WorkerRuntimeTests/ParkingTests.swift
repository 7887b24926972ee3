import AudioStreams
import EarshotModel
import NIOCore
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import WorkerRuntime

@Suite("Worker: lanes that wait for long park", .timeLimit(.minutes(2)))
struct ParkingTests {
    private static var limits: Limits {
        var limits = RuntimeFixture.limits
        limits.leaseLapse = .milliseconds(300)
        limits.parkAfter = .milliseconds(100)
        limits.parkEntriesMaximum = 7
        limits.waitingLaneEntriesMaximum = 4
        return limits
    }

    /// Trims as the coordinator does, and returns how much is left.
    private func trim(_ fixture: RuntimeFixture) async throws -> Int64 {
        var left: Int64 = 0
        for partition in fixture.all {
            let attempt = Lease.Attempt(partition: partition, owner: Incarnation(startingAs: "coordinator-0"))
            let seen = try await fixture.handOff.sightings(of: [partition], group: .coordinator)[partition]
            if let token = seen?.token {
                try await fixture.handOff.release(token, group: .coordinator, partition: partition)
            }
            let outcome = try await fixture.handOff.acquire([attempt], group: .coordinator, stream: nil)[partition]
            guard case .granted(let grant)? = outcome else { throw Unexpected("no lease") }
            _ = try await fixture.handOff.trim(.audio, in: partition, token: grant.token, group: .coordinator)
            left += try await parkedAndLeft(fixture).left
        }
        return left
    }

    private func parkedAndLeft(_ fixture: RuntimeFixture) async throws -> (parked: Int64, left: Int64) {
        let lags = try await fixture.handOff.lag(of: fixture.group, stream: .audio, in: fixture.all)
        return (lags.reduce(0) { $0 + $1.parkedEntries }, lags.reduce(0) { $0 + $1.length })
    }

    @Test(
        "A dependency away for long: neighbours go on, the stream is trimmed, and all comes out once and in order",
        arguments: Store.allCases)
    func recovery(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1, limits: Self.limits) { fixture in
            var ledger = ByteLedger()
            var blocked = try await TestDevice(fixture, user: "blocked")
            var neighbour = try await TestDevice(fixture, user: "neighbour")
            let barrier = SessionBarrier(for: [blocked.id])
            try await fixture.withWorker(factory: barrier.factory) { worker in
                var sent: Int64 = 0
                for _ in 0..<3 {
                    for _ in 0..<20 {
                        try await blocked.send(2, noting: &ledger)
                        try await neighbour.send(1, noting: &ledger)
                        sent += 1
                    }
                    let expected = sent
                    try await eventually(
                        "all of it is parked", isTrue: { try await parkedAndLeft(fixture).parked == expected })
                    try await fixture.untilDrained()
                    #expect(try await trim(fixture) <= 1)
                }
                try await blocked.end()
                try await neighbour.end()
                let before = try await fixture.until("the neighbour's end") { $0.contains(where: \.isEnd) }
                #expect(!before.contains { $0.session == blocked.id })
                try await eventually(
                    "the end is parked", isTrue: { try await parkedAndLeft(fixture).parked == sent + 1 })
                try await eventually(
                    "it is measured", isTrue: { worker.metrics.gauge("worker.parked.entries") == Double(sent + 1) })
                #expect(worker.count("entries.parked") == sent + 1 && worker.count("parkings.refused") == 0)
                barrier.open()
                let events = try await fixture.until("both ends") { $0.count(where: \.isEnd) == 2 }
                #expect(ledger.violations(in: events).isEmpty)
                try await eventually("nothing is parked", isTrue: { try await parkedAndLeft(fixture).parked == 0 })
                try await eventually("that is measured", isTrue: { worker.metrics.gauge("worker.parked.bytes") == 0 })
            }
            let known = try await fixture.handOff.session(blocked.id, group: fixture.group, in: blocked.partition)
            #expect(known?.isCompleted == true)
        }
    }

    @Test("What comes while a lane works off what it has parked comes behind it", arguments: Store.allCases)
    func busy(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1, limits: Self.limits) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "blocked")
            let barrier = SessionBarrier(for: [device.id])
            try await fixture.withWorker(factory: barrier.factory) { worker in
                for _ in 0..<40 { try await device.send(2, noting: &ledger) }
                try await eventually("it parks", isTrue: { try await parkedAndLeft(fixture).parked > 0 })
                for round in 0..<60 {
                    try await device.send(2, noting: &ledger)
                    // Repetitions of what is parked, and of what is not.
                    if round % 7 == 0 { try await device.append(from: UInt64(round), count: 3) }
                    if round == 30 { barrier.open() }
                }
                try await device.end()
                let events = try await fixture.until("the end") { $0.contains(where: \.isEnd) }
                #expect(ledger.violations(in: events).isEmpty && worker.count("gaps") == 0)
                try await fixture.untilDrained()
                try await eventually("nothing is parked", isTrue: { try await parkedAndLeft(fixture).parked == 0 })
            }
        }
    }

    @Test(
        "An owner that dies or leaves while lanes are parked: the next one goes on, though nothing more comes",
        arguments: Store.allCases, [true, false])
    func takeOver(store: Store, dies: Bool) async throws {
        try await RuntimeFixture.with(store, partitions: 2, limits: Self.limits) { fixture in
            var ledger = ByteLedger()
            var devices: [TestDevice] = []
            for number in 0..<5 { devices.append(try await TestDevice(fixture, user: "user\(number)")) }
            let barrier = SessionBarrier(for: devices.map(\.id))
            let first = fixture.makeWorker("worker-0", factory: barrier.factory)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await first.services.run() }
                for index in devices.indices {
                    for _ in 0..<12 { try await devices[index].send(2, noting: &ledger) }
                    if index != 0 { try await devices[index].end() }
                }
                try await eventually(
                    "all is parked", isTrue: { try await parkedAndLeft(fixture).parked == 12 * 5 + 4 })
                try await fixture.untilDrained()
                _ = try await trim(fixture)
                if dies { tasks.cancelAll() } else { await first.services.triggerGracefulShutdown() }
                while let result = await tasks.nextResult() { if case .failure(let error) = result { _ = error } }
            }
            if dies { try await abandonLeases(fixture) }
            // One of them had not ended, and goes on behind what is parked.
            for _ in 0..<5 { try await devices[0].send(3, noting: &ledger) }
            try await devices[0].end()
            barrier.open()
            try await fixture.withWorker("worker-1", factory: barrier.factory) { _ in
                let events = try await fixture.until("all ends") { $0.count(where: \.isEnd) == devices.count }
                #expect(ledger.violations(in: events).isEmpty)
                try await eventually("nothing is parked", isTrue: { try await parkedAndLeft(fixture).parked == 0 })
                try await fixture.untilDrained()
            }
        }
    }

    /// A cancelled worker may have given leases back; a killed one could not: takes each as somebody who is gone.
    private func abandonLeases(_ fixture: RuntimeFixture, hand: String? = nil) async throws {
        let seen = try await fixture.handOff.sightings(of: fixture.all, group: fixture.group)
        let nobody = Incarnation(startingAs: "gone")
        let attempts = fixture.all.map { Lease.Attempt(partition: $0, owner: nobody, lapsed: seen[$0]) }
        let outcomes = try await fixture.handOff.acquire(attempts, group: fixture.group, stream: .audio)
        for (partition, outcome) in outcomes {
            guard case .granted(let grant) = outcome else { throw Unexpected("no lease") }
            _ = try await fixture.handOff.takeInHand(
                hand, clearing: nil, token: grant.token, group: fixture.group, partition: partition)
        }
    }

    @Test("A parked entry that killed three owners is buried; the rest is had", arguments: Store.allCases)
    func poison(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1, limits: Self.limits) { fixture in
            var ledger = ByteLedger()
            var discarded = ByteLedger()
            var device = try await TestDevice(fixture, user: "blocked")
            let barrier = SessionBarrier(for: [device.id])
            let first = fixture.makeWorker("worker-0", factory: barrier.factory)
            var poison = StreamPosition.start
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await first.services.run() }
                for _ in 0..<5 { try await device.send(2, noting: &ledger) }
                poison = try await device.send([.init(string: "poison")], noting: &discarded)
                for _ in 0..<5 { try await device.send(2, noting: &ledger) }
                try await eventually("all is parked", isTrue: { try await parkedAndLeft(fixture).parked == 11 })
                try await fixture.untilDrained()
                tasks.cancelAll()
                while let result = await tasks.nextResult() { if case .failure(let error) = result { _ = error } }
            }
            for _ in 0..<3 { try await abandonLeases(fixture, hand: "\(device.id)@\(poison)") }
            let touched = Mutex(false)
            let factory = ByteCounter.Factory(bytesPerEvent: 30) { _, frame in
                if frame.bytes == .init(string: "poison") { touched.withLock { $0 = true } }
            }
            try await fixture.withWorker("worker-1", factory: factory) { worker in
                try await eventually("nothing is parked", isTrue: { try await parkedAndLeft(fixture).parked == 0 })
                #expect(!touched.withLock(\.self) && worker.count("dead_letters") == 1)
                #expect(ledger.violations(in: try await fixture.events()).isEmpty)
            }
        }
    }

    @Test("A full quota parks no more: the rest stays in the stream, and is counted", arguments: Store.allCases)
    func quota(store: Store) async throws {
        var limits = Self.limits
        limits.parkedBytesMaximum = 2_000
        try await RuntimeFixture.with(store, partitions: 1, limits: limits) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "blocked")
            let barrier = SessionBarrier(for: [device.id])
            try await fixture.withWorker(factory: barrier.factory) { worker in
                for _ in 0..<60 { try await device.send(3, noting: &ledger) }
                try await device.end()
                try await eventually("it is refused", isTrue: { worker.count("parkings.refused") > 0 })
                let lag = try await fixture.handOff.lag(of: fixture.group, stream: .audio, in: fixture.all).first
                let parkedEntries = lag?.parkedEntries ?? 0
                #expect(parkedEntries > 0 && lag?.parkedBytes ?? .max <= 2_000)
                #expect(lag?.entries ?? 0 > 0, "the position stays")
                #expect(try await trim(fixture) >= 61 - parkedEntries)
                barrier.open()
                let events = try await fixture.until("the end") { $0.contains(where: \.isEnd) }
                #expect(ledger.violations(in: events).isEmpty)
                try await fixture.untilDrained()
            }
        }
    }

    @Test(
        "A worker in which all wait for the same for too long gives its partitions back and ends, with the name",
        arguments: Store.allCases)
    func bound(store: Store) async throws {
        var limits = Self.limits
        limits.dependencyWaitMaximum = .milliseconds(600)
        try await RuntimeFixture.with(store, partitions: 2, limits: limits) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "blocked")
            let barrier = SessionBarrier(for: [device.id])
            for _ in 0..<12 { try await device.send(2, noting: &ledger) }
            try await device.end()
            let worker = fixture.makeWorker("worker-0", factory: barrier.factory)
            let error = await #expect(throws: Worker.Stalled.self) { try await worker.services.run() }
            #expect(error.map { "\($0)" }?.contains("too long for test") == true)
            let leases = try await fixture.handOff.sightings(of: fixture.all, group: fixture.group)
            #expect(leases.count == 2 && leases.values.allSatisfy(\.isReleased))
            barrier.open()
            try await fixture.withWorker("worker-1", factory: barrier.factory) { _ in
                let events = try await fixture.until("the end") { $0.contains(where: \.isEnd) }
                #expect(ledger.violations(in: events).isEmpty)
            }
        }
    }

    @Test("One blocked lane with more than a partition may have in hand stops nobody", arguments: Store.allCases)
    func unabsorbedBound(store: Store) async throws {
        var limits = Self.limits
        limits.parkAfter = .seconds(600)
        limits.partitionUnabsorbedMaximum = 30
        limits.readCount = 10
        try await RuntimeFixture.with(store, partitions: 1, limits: limits) { fixture in
            var ledger = ByteLedger()
            var blocked = try await TestDevice(fixture, user: "blocked")
            var neighbour = try await TestDevice(fixture, user: "neighbour")
            let barrier = SessionBarrier(for: [blocked.id])
            try await fixture.withWorker(factory: barrier.factory) { _ in
                for _ in 0..<70 { try await blocked.send(1, noting: &ledger) }
                for _ in 0..<5 { try await neighbour.send(5, noting: &ledger) }
                for device in [blocked, neighbour] { try await device.end() }
                _ = try await fixture.until("the neighbour's end") { $0.contains(where: \.isEnd) }
                barrier.open()
                let events = try await fixture.until("both ends") { $0.count(where: \.isEnd) == 2 }
                #expect(ledger.violations(in: events).isEmpty)
            }
        }
    }
}
