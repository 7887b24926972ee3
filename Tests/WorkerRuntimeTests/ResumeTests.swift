import AudioStreams
import EarshotModel
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import WorkerRuntime

@Suite("Worker: sessions that continue others", .timeLimit(.minutes(2)))
struct ResumeTests {
    private static var limits: Limits {
        var limits = RuntimeFixture.limits
        limits.leaseLapse = .milliseconds(300)
        limits.waitingLaneEntriesMaximum = 4
        return limits
    }

    /// Three connections; each sends again what was not acknowledged, and the first gateway goes on for a while.
    private func chain(_ fixture: RuntimeFixture, user: String) async throws -> TestChain {
        var chain = try await TestChain(fixture, user: user)
        try await chain.send(0..<14)
        try await chain.note(5)
        #expect(try await chain.resume() == 6)
        try await chain.send(14..<17, of: 0)
        try await chain.send(6..<21)
        try await chain.note(12)
        try await chain.end()
        #expect(try await chain.resume(first: 3) == 13)
        try await chain.send(13..<26)
        try await chain.end()
        return chain
    }

    /// What is wrong with what came of chains.
    private func violations(_ chains: [TestChain], in events: [ByteEvent]) -> [String] {
        var ledger = ByteLedger()
        for chain in chains { chain.note(in: &ledger) }
        let joined = chains.flatMap { $0.joined(events) }
        return ledger.violations(in: joined) + chains.filter { !$0.isInOrder(events) }.map { "\($0.sessions): order" }
    }

    private func leaveLeases(_ fixture: RuntimeFixture) async throws {
        let seen = try await fixture.handOff.sightings(of: fixture.all, group: fixture.group)
        let nobody = Incarnation(startingAs: "gone")
        let attempts = fixture.all.map { Lease.Attempt(partition: $0, owner: nobody, lapsed: seen[$0]) }
        for outcome in try await fixture.handOff.acquire(attempts, group: fixture.group, stream: .audio).values {
            guard case .granted = outcome else { throw Unexpected("no lease") }
        }
    }

    @Test("What continues a session that had no numbers of its device's is taken whole", arguments: Store.allCases)
    func unnumbered(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1, limits: Self.limits) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "user")
            try await device.send(20, noting: &ledger)
            let next = TestSession(user: "user")
            var request = next.resuming(device.id)
            request.parameters.flags.insert(.numbered)
            let grant = try await fixture.handOff.register(request, in: device.partition)
            #expect(grant.isResumed && grant.from == 0)
            _ = try await fixture.handOff.append(next.entry(from: 0, count: 12), to: device.partition)
            _ = try await fixture.handOff.end(next.ending(epoch: grant.epoch), in: device.partition)
            ledger.note(next.id, (0..<12).map { TestSession.frame($0) })
            try await fixture.withWorker(factory: ByteCounter.Factory(bytesPerEvent: 60)) { worker in
                let events = try await fixture.until("both end") { $0.count(where: \.isEnd) == 2 }
                #expect(ledger.violations(in: events).isEmpty)
                #expect(worker.count("entries.duplicate") == 0)
            }
        }
    }

    @Test("A chain of connections with overlapping resends comes out byte for byte once", arguments: Store.allCases)
    func chains(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 2, limits: Self.limits) { fixture in
            var chains = [try await chain(fixture, user: "user0")]
            try await fixture.withWorker(factory: ByteCounter.Factory(bytesPerEvent: 60)) { worker in
                for number in 1..<6 { chains.append(try await chain(fixture, user: "user\(number)")) }
                let events = try await fixture.until("all ends") { $0.count(where: \.isEnd) == 18 }
                #expect(violations(chains, in: events) == [])
                try await fixture.untilDrained()
                #expect(worker.count("gaps") == 0 && worker.count("entries.late") == 12)
                #expect(worker.count("entries.duplicate") > 0)
            }
            for chain in chains {
                for session in chain.sessions {
                    let known = try await fixture.handOff.session(
                        session.id, group: fixture.group, in: chain.partition)
                    #expect(known?.isCompleted == true)
                }
            }
        }
    }

    @Test(
        "A predecessor that waits holds its successors, and nobody else, also in a replay", arguments: Store.allCases,
        [false, true])
    func slowPredecessor(store: Store, isReplay: Bool) async throws {
        try await RuntimeFixture.with(store, partitions: 1, limits: Self.limits) { fixture in
            var chain = try await TestChain(fixture, user: "slow")
            let barrier = SessionBarrier(for: [chain.current.id])
            try await chain.send(0..<30)
            _ = try await chain.resume(first: 20)
            try await chain.send(20..<60)
            _ = try await chain.resume(first: 50)
            try await chain.send(50..<80)
            try await chain.end()
            var ledger = ByteLedger()
            var neighbour = try await TestDevice(fixture, user: "neighbour")
            for _ in 0..<20 { try await neighbour.send(3, noting: &ledger) }
            try await neighbour.end()
            if isReplay { try await leaveLeases(fixture) }
            try await fixture.withWorker(factory: barrier.factory) { worker in
                let before = try await fixture.until("the neighbour's end") { $0.contains(where: \.isEnd) }
                #expect(before.allSatisfy { $0.session == neighbour.id })
                barrier.open()
                let events = try await fixture.until("all ends") { $0.count(where: \.isEnd) == 4 }
                #expect(violations([chain], in: events) == [])
                try await fixture.untilDrained()
                #expect(worker.count("gaps") == 0)
            }
        }
    }

    @Test("Who waits for a parked predecessor parks, too, and outlives its worker", arguments: Store.allCases)
    func parked(store: Store) async throws {
        var limits = Self.limits
        limits.parkAfter = .milliseconds(100)
        limits.parkEntriesMaximum = 7
        try await RuntimeFixture.with(store, partitions: 1, limits: limits) { fixture in
            var chain = try await TestChain(fixture, user: "slow")
            let barrier = SessionBarrier(for: [chain.current.id])
            try await fixture.withWorker(factory: barrier.factory) { _ in
                try await chain.send(0..<30)
                _ = try await chain.resume(first: 30)
                try await chain.send(30..<60)
                try await eventually(
                    "all is parked",
                    isTrue: {
                        let lag = try await fixture.handOff.lag(of: fixture.group, stream: .audio, in: fixture.all)
                        return lag[0].parkedEntries == 31 && lag[0].entries == 0
                    })
            }
            try await chain.send(60..<70)
            try await chain.end()
            try await leaveLeases(fixture)
            barrier.open()
            try await fixture.withWorker("worker-1", factory: barrier.factory) { _ in
                let events = try await fixture.until("all ends") { $0.count(where: \.isEnd) == 2 }
                #expect(violations([chain], in: events) == [])
                try await fixture.untilDrained()
            }
        }
    }

    @Test("Workers that die anywhere in chains leave nothing out and double nothing", arguments: Store.allCases)
    func kills(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 2, limits: Self.limits) { fixture in
            var chains: [TestChain] = []
            for number in 0..<4 { chains.append(try await TestChain(fixture, user: "user\(number)")) }
            for round in 0..<6 {
                let worker = fixture.makeWorker("worker-\(round)", factory: ByteCounter.Factory(bytesPerEvent: 90))
                let before = try await fixture.events().count
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask { try await worker.services.run() }
                    for index in chains.indices {
                        let sent = chains[index].sent
                        try await chains[index].send(sent..<sent + 9 + UInt64(index))
                        if sent > 0 { try await chains[index].note(sent - 1) }
                        let from = try await chains[index].resume(first: sent > 3 ? sent - 3 : 0)
                        try await chains[index].send(from..<chains[index].sent + 5)
                    }
                    // No more than one round alone gives, should the worker before have done everything.
                    _ = try await fixture.until("some came") { $0.count > before + min(round, 2) * 3 }
                    tasks.cancelAll()
                    while let result = await tasks.nextResult() { if case .failure(let error) = result { _ = error } }
                }
                try await leaveLeases(fixture)
            }
            for chain in chains { try await chain.end() }
            try await fixture.withWorker("worker-9", factory: ByteCounter.Factory(bytesPerEvent: 90)) { worker in
                let all = chains.reduce(0) { $0 + $1.sessions.count }
                let events = try await fixture.until("all ends") { $0.count(where: \.isEnd) == all }
                #expect(violations(chains, in: events) == [])
                try await fixture.untilDrained()
                #expect(worker.count("gaps") == 0)
            }
        }
    }

    @Test("What the device had given up is told as lost, to a group that wanted it", arguments: Store.allCases)
    func lost(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1, limits: Self.limits) { fixture in
            let openings = Mutex<[LaneOpening]>([])
            struct Factory: LaneProcessorFactory {
                let onOpen: @Sendable (LaneOpening) -> Void

                func open(_ opening: LaneOpening) throws -> any LaneProcessor {
                    onOpen(opening)
                    return try ByteCounter.Factory(bytesPerEvent: 60).open(opening)
                }
            }
            var wanted = try await TestChain(fixture, user: "wanted")
            try await wanted.send(0..<5)
            #expect(try await wanted.resume(first: 8) == 8)
            try await wanted.send(8..<10)
            try await wanted.end()
            var unwanted = try await TestChain(fixture, user: "unwanted", flags: .privateCloud)
            try await unwanted.note(4)
            #expect(try await unwanted.resume(first: 2) == 5)
            try await unwanted.send(5..<9)
            try await unwanted.end()
            let factory = Factory { opening in openings.withLock { $0.append(opening) } }
            try await fixture.withWorker(factory: factory) { worker in
                _ = try await fixture.until("all ends") { $0.count(where: \.isEnd) == 4 }
                try await fixture.untilDrained()
                #expect(worker.count("gaps") == 1 && worker.count("frames.lost") == 3)
            }
            let seen = openings.withLock(\.self)
            func opening(_ session: TestSession) -> LaneOpening? { seen.last { $0.key == .session(session.id) } }
            #expect(opening(wanted.sessions[0])?.lost == 0 && opening(wanted.sessions[0])?.start == 0)
            #expect(opening(wanted.sessions[1])?.lost == 3 && opening(wanted.sessions[1])?.start == 8)
            #expect(opening(unwanted.sessions[1])?.lost == 0 && opening(unwanted.sessions[1])?.start == 5)
        }
    }
}
