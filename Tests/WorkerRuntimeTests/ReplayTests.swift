import AudioStreams
import EarshotModel
import NIOCore
import Synchronization
import TestSupport
import Testing
import WorkerRuntime

@Suite("Worker: replays after a crash", .timeLimit(.minutes(2)))
struct ReplayTests {
    /// Leaves every partition's lease as dead owners would have left it: lapsing, with an entry in hand so many times.
    private func crash(
        _ fixture: RuntimeFixture, hands: [Partition: String], times: Int = 1
    ) async throws {
        for number in 0...times {
            let seen = try await fixture.handOff.sightings(of: fixture.all, group: fixture.group)
            let owner = Incarnation(startingAs: "dead-\(number)")
            let attempts = fixture.all.map { Lease.Attempt(partition: $0, owner: owner, lapsed: seen[$0]) }
            let outcomes = try await fixture.handOff.acquire(attempts, group: fixture.group, stream: .audio)
            for (partition, outcome) in outcomes {
                guard case .granted(let grant) = outcome else { throw Unexpected("no lease") }
                _ = try await fixture.handOff.takeInHand(
                    number == times ? nil : hands[partition], clearing: nil, token: grant.token,
                    group: fixture.group, partition: partition)
            }
        }
    }

    private static var limits: Limits {
        var limits = RuntimeFixture.limits
        limits.leaseLapse = .milliseconds(300)
        return limits
    }

    @Test(
        "Where a crash was counted, one partition of the process at a time has an entry in hand",
        arguments: Store.allCases)
    func gate(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 4, limits: Self.limits) { fixture in
            var ledger = ByteLedger()
            var devices: [TestDevice] = []
            for number in 0..<12 { devices.append(try await TestDevice(fixture, user: "user\(number)")) }
            var hands: [Partition: String] = [:]
            for index in devices.indices {
                let position = try await devices[index].send(3, noting: &ledger)
                for _ in 0..<4 { try await devices[index].send(3, noting: &ledger) }
                hands[devices[index].partition] = "\(devices[index].id)@\(position)"
            }
            #expect(hands.count == 4, "the users cover the partitions")
            try await crash(fixture, hands: hands)
            // Who is in a frame, and the most partitions that ever were at once.
            let inside = Mutex<[Partition: Int]>([:])
            let most = Mutex(0)
            let partitions = Dictionary(uniqueKeysWithValues: devices.map { ($0.id, $0.partition) })
            let factory = ByteCounter.Factory(bytesPerEvent: 50) { session, _ in
                let partition = partitions[session] ?? Partition(0)
                let now = inside.withLock {
                    $0[partition, default: 0] += 1
                    return $0.values.count { $0 > 0 }
                }
                most.withLock { $0 = max($0, now) }
                for _ in 0..<20 { await Task.yield() }
                inside.withLock { $0[partition, default: 0] -= 1 }
            }
            try await fixture.withWorker(factory: factory) { _ in
                try await fixture.untilDrained()
                #expect(most.withLock(\.self) == 1)
                #expect(ledger.violations(in: try await fixture.events()).isEmpty)
            }
        }
    }

    @Test(
        "A replay names each entry in the lease before it is touched, and acquits the one before",
        arguments: Store.allCases)
    func named(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1, limits: Self.limits) { fixture in
            var ledger = ByteLedger()
            var devices: [TestDevice] = []
            for number in 0..<3 { devices.append(try await TestDevice(fixture, user: "user\(number)")) }
            var positions: [SessionID: StreamPosition] = [:]
            var first: StreamPosition?
            for _ in 0..<5 {
                for index in devices.indices {
                    let position = try await devices[index].send(1, noting: &ledger)
                    positions[devices[index].id] = position
                    if index == 1 { first = first ?? position }
                }
            }
            // An entry of the second lane was in hand at a crash, and did no harm.
            try await crash(fixture, hands: [Partition(0): "\(devices[1].id)@\(try #require(first))"])
            // The worker "dies" at the last entry of the second lane it replays: it never comes back from it.
            let known = positions
            let died = Mutex<SessionID?>(nil)
            let others = Mutex<Set<SessionID>>([])
            let factory = ByteCounter.Factory(bytesPerEvent: .max) { session, frame in
                others.withLock { _ = $0.insert(session) }
                guard frame.sequence == 4, others.withLock({ $0.count == 2 }) else { return }
                died.withLock { $0 = session }
                // tidy:allow Task.sleep it is cut off by the test's end
                try await Task.sleep(for: .seconds(600))
            }
            try await fixture.withWorker(factory: factory) { _ in
                let session = try await eventually("it is in the entry") { died.withLock(\.self) }
                #expect(others.withLock(\.self).count == 2, "one lane at a time")
                let partition = Partition(0)
                // It beats all the time: its sighting must be newer than its last beat.
                let grant = try await eventually("the lease is taken from it") { () async throws -> Lease.Grant? in
                    let seen = try await fixture.handOff.sightings(of: [partition], group: fixture.group)[partition]
                    let attempt = Lease.Attempt(
                        partition: partition, owner: Incarnation(startingAs: "next"), lapsed: seen)
                    let outcome = try await fixture.handOff.acquire([attempt], group: fixture.group, stream: .audio)
                    guard case .granted(let grant)? = outcome[partition] else { return nil }
                    return grant
                }
                let position = try #require(known[session])
                // The owner before it named nothing.
                #expect(grant.crashes == ["\(session)@\(position)": 1])
            }
        }
    }
}
