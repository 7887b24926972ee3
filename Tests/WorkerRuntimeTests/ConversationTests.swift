import AudioStreams
import EarshotModel
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import WorkerRuntime

@Suite("Worker: sessions of one conversation", .timeLimit(.minutes(2)))
struct ConversationTests {
    /// Byte counters that go on from the session before, and what they were opened with.
    private final class Lanes: LaneProcessorFactory {
        let continuesConversations: Bool
        private let counters: ByteCounter.Factory
        private let opened = Mutex<[SessionID: [[UInt8]]]>([:])

        init(continuing: Bool = true, _ counters: ByteCounter.Factory = ByteCounter.Factory(bytesPerEvent: 60)) {
            continuesConversations = continuing
            self.counters = counters
        }

        func open(_ opening: LaneOpening) throws -> any LaneProcessor {
            if let session = opening.key.session {
                opened.withLock { $0[session, default: []].append(opening.stateBefore) }
            }
            return try counters.open(opening)
        }

        /// The states a session's lane was given, one each time it was opened.
        func statesBefore(_ session: SessionID) -> [[UInt8]] { opened.withLock { $0[session] ?? [] } }
    }

    private static var limits: Limits {
        var limits = RuntimeFixture.limits
        limits.leaseLapse = .milliseconds(300)
        return limits
    }

    private func state(_ device: TestDevice, _ fixture: RuntimeFixture) async throws -> [UInt8] {
        let known = try await fixture.handOff.session(device.id, group: fixture.group, in: device.partition)
        return known?.progress.state ?? []
    }

    private func leaveLeases(_ fixture: RuntimeFixture) async throws {
        let seen = try await fixture.handOff.sightings(of: fixture.all, group: fixture.group)
        let nobody = Incarnation(startingAs: "gone")
        let attempts = fixture.all.map { Lease.Attempt(partition: $0, owner: nobody, lapsed: seen[$0]) }
        for outcome in try await fixture.handOff.acquire(attempts, group: fixture.group, stream: .audio).values {
            guard case .granted = outcome else { throw Unexpected("no lease") }
        }
    }

    @Test(
        "A lane begins with all that was committed of the session that ended before it, also in a replay",
        arguments: Store.allCases, [false, true])
    func waits(store: Store, isReplay: Bool) async throws {
        try await RuntimeFixture.with(store, partitions: 1, limits: Self.limits) { fixture in
            var ledger = ByteLedger()
            var first = try await TestDevice(fixture, user: "alice")
            try await first.send(30, noting: &ledger)
            try await first.end()
            var second = try await TestDevice(fixture, user: "alice")
            try await second.send(10, noting: &ledger)
            try await second.end()
            let barrier = SessionBarrier(for: [first.id])
            let lanes = Lanes(barrier.factory)
            if isReplay { try await leaveLeases(fixture) }
            var neighbour = try await TestDevice(fixture, user: "bob")
            try await neighbour.send(10, noting: &ledger)
            try await neighbour.end()
            try await fixture.withWorker(factory: lanes) { worker in
                // Had it not waited it would be there before the neighbour, whose entries come later.
                let before = try await fixture.until("the neighbour's end") { $0.contains(where: \.isEnd) }
                #expect(before.allSatisfy { $0.session == neighbour.id })
                #expect(lanes.statesBefore(second.id).isEmpty)
                barrier.open()
                let events = try await fixture.until("all ends") { $0.count(where: \.isEnd) == 3 }
                #expect(ledger.violations(in: events) == [])
                try await fixture.untilDrained()
                #expect(worker.count("gaps") == 0)
            }
            let whole = try await state(first, fixture)
            #expect(!whole.isEmpty)
            #expect(lanes.statesBefore(second.id) == [whole])
            #expect(lanes.statesBefore(first.id).allSatisfy { $0.isEmpty })
            #expect(lanes.statesBefore(neighbour.id) == [[]])
        }
    }

    @Test(
        "A session that is live beside another holds nobody up: what is committed of it counts",
        arguments: Store.allCases)
    func live(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1, limits: Self.limits) { fixture in
            var ledger = ByteLedger()
            var first = try await TestDevice(fixture, user: "alice")
            let lanes = Lanes(ByteCounter.Factory(bytesPerEvent: 60))
            try await fixture.withWorker(factory: lanes) { _ in
                try await first.send(30, noting: &ledger)
                _ = try await fixture.until("the first is heard") { events in
                    events.reduce(0) { $0 + $1.to - $1.from } == ledger.count(first.id)
                }
                let soFar = try await state(first, fixture)
                var second = try await TestDevice(fixture, user: "alice")
                try await second.send(10, noting: &ledger)
                try await second.end()
                _ = try await fixture.until("the second's end") { $0.contains(where: \.isEnd) }
                #expect(lanes.statesBefore(second.id) == [soFar])
                try await first.end()
                let events = try await fixture.until("both ends") { $0.count(where: \.isEnd) == 2 }
                #expect(ledger.violations(in: events) == [])
            }
        }
    }

    @Test(
        "Sessions of which nothing was committed are passed; a lane that has committed asks no more",
        arguments: Store.allCases)
    func chain(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1, limits: Self.limits) { fixture in
            var ledger = ByteLedger()
            var first = try await TestDevice(fixture, user: "alice")
            try await first.send(30, noting: &ledger)
            try await first.end()
            // Cut off before it had any audio, and its gateway does not know yet.
            let silent = try await TestDevice(fixture, user: "alice")
            var third = try await TestDevice(fixture, user: "alice")
            let lanes = Lanes()
            try await fixture.withWorker(factory: lanes) { _ in
                try await third.send(30, noting: &ledger)
                _ = try await fixture.until("the third is heard") { $0.contains { $0.session == third.id } }
            }
            try await leaveLeases(fixture)
            try await fixture.withWorker("worker-1", factory: lanes) { _ in
                try await third.send(10, noting: &ledger)
                try await third.end()
                try await silent.end()
                let events = try await fixture.until("all ends") { $0.count(where: \.isEnd) == 3 }
                #expect(ledger.violations(in: events.filter { $0.session != silent.id }) == [])
            }
            let whole = try await state(first, fixture)
            #expect(lanes.statesBefore(third.id) == [whole, []])
        }
    }

    @Test("A worker type that has nothing to go on with waits for nobody", arguments: Store.allCases)
    func apart(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1, limits: Self.limits) { fixture in
            var ledger = ByteLedger()
            var first = try await TestDevice(fixture, user: "alice")
            try await first.send(30, noting: &ledger)
            try await first.end()
            var second = try await TestDevice(fixture, user: "alice")
            try await second.send(10, noting: &ledger)
            try await second.end()
            let barrier = SessionBarrier(for: [first.id])
            let lanes = Lanes(continuing: false, barrier.factory)
            try await fixture.withWorker(factory: lanes) { _ in
                _ = try await fixture.until("the second's end") { $0.contains { $0.isEnd && $0.session == second.id } }
                barrier.open()
                let events = try await fixture.until("both ends") { $0.count(where: \.isEnd) == 2 }
                #expect(ledger.violations(in: events) == [])
                #expect(lanes.statesBefore(second.id) == [[]])
            }
        }
    }
}
