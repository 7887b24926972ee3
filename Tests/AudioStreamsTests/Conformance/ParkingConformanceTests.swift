import AudioStreams
import EarshotModel
import NIOCore
import TestSupport
import Testing

@Suite("Hand-off: parking")
struct ParkingConformanceTests {
    private let session = TestSession(user: "u1")

    /// Appends entries of ten bytes each.
    private func fill(_ test: HandOffUnderTest, _ count: Int) async throws -> [StreamPosition] {
        var positions: [StreamPosition] = []
        for number in 0..<count {
            positions.append(
                try await test.handOff.append(.init(string: "entry \(1_000 + number)"), to: test.partition))
        }
        return positions
    }

    private func park(
        _ test: HandOffUnderTest, _ positions: [StreamPosition], _ token: FencingToken, of session: TestSession? = nil
    ) async throws -> ParkedLane.Outcome {
        try await test.handOff.park(
            positions, of: (session ?? self.session).id, token: token, group: test.group, partition: test.partition)
    }

    private func parked(_ test: HandOffUnderTest, after position: StreamPosition = .start) async throws -> [StreamEntry]
    {
        try await test.handOff.parkedEntries(
            of: session.id, group: test.group, in: test.partition, after: position, count: 100)
    }

    private func unpark(
        _ test: HandOffUnderTest, _ grant: Lease.Grant, _ number: Int64, keeping position: StreamPosition?
    ) async throws -> Commit.Outcome {
        try await test.handOff.commit(
            Commit(
                group: test.group, stream: .audio, partition: test.partition, token: grant.token, number: number,
                position: nil, lanes: [Commit.Lane(session: nil, progress: LaneProgress(), events: ["e\(number)"])],
                unparked: [Commit.Unparked(session: session.id, keptFrom: position)]))
    }

    private func lane(_ session: TestSession, _ positions: ArraySlice<StreamPosition>) throws -> ParkedLane {
        ParkedLane(
            session: session.id, bytes: 10 * positions.count, entries: positions.count,
            first: try #require(positions.first), last: try #require(positions.last))
    }

    @Test("Parked entries keep their places and bytes, and survive the trim", arguments: Backend.allCases)
    func parked(backend: Backend) async throws {
        try await backend.run { test in
            try await test.handOff.enable(audioGroups: [test.group], eventGroups: [], in: [test.partition])
            let all = try await fill(test, 6)
            let grant = try await test.acquire()
            #expect(grant.parked.isEmpty)
            let some = [all[0], all[2], all[3]]
            let expected = try lane(session, some[...])
            for _ in 0..<2 { #expect(try await park(test, some, grant.token) == .parked(expected)) }
            let position = Commit.Position(position: all[5], entriesRead: 6)
            #expect(try await test.commit(grant.token, 1, position: position) == .applied)
            let coordinator = try await test.acquire(.coordinator, stream: nil)
            let removed = try await test.handOff.trim(
                .audio, in: test.partition, token: coordinator.token, group: .coordinator)
            #expect(removed == 5)
            let entries = try await parked(test)
            #expect(entries.map(\.position) == some)
            #expect(entries.map { String(buffer: $0.payload) } == ["entry 1000", "entry 1002", "entry 1003"])
            #expect(try await parked(test, after: all[2]).map(\.position) == [all[3]])
            let lag = try await test.lag()
            #expect(lag?.entries == 0 && lag?.parkedEntries == 3 && lag?.parkedBytes == 30)
            // The next owner is told, and what is gone from the stream is parked no second time.
            let next = try await test.acquire()
            #expect(next.parked == [expected])
            #expect(
                try await park(test, all, next.token) == .parked(try lane(session, [all[0], all[2], all[3], all[5]])))
            #expect(try await test.acquire(.record, stream: .audio).parked.isEmpty, "another group has its own")
        }
    }

    @Test("A stale token parks nothing", arguments: Backend.allCases)
    func fenced(backend: Backend) async throws {
        try await backend.run { test in
            let all = try await fill(test, 2)
            let old = try await test.acquire()
            let grant = try await test.acquire()
            #expect(try await park(test, all, old.token) == .fenced)
            #expect(try await parked(test).isEmpty)
            #expect(try await park(test, all, grant.token) == .parked(try lane(session, all[...])))
        }
    }

    @Test("The quota is of a partition and group, and a call over it changes nothing", arguments: Backend.allCases)
    func quota(backend: Backend) async throws {
        var limits = Limits()
        limits.parkedBytesMaximum = 50
        try await backend.run(limits: limits) { test in
            let all = try await fill(test, 8)
            let grant = try await test.acquire()
            let other = TestSession(user: "u2")
            #expect(
                try await park(test, Array(all[0..<2]), grant.token, of: other) == .parked(try lane(other, all[0..<2])))
            #expect(try await park(test, Array(all[2..<4]), grant.token) == .parked(try lane(session, all[2..<4])))
            #expect(try await park(test, Array(all[4..<6]), grant.token) == .full)
            #expect(try await parked(test).count == 2)
            #expect(try await park(test, [all[4]], grant.token) == .parked(try lane(session, all[2..<5])))
            // What is there already needs no room.
            #expect(try await park(test, [all[4]], grant.token) == .parked(try lane(session, all[2..<5])))
            #expect(try await unpark(test, grant, 1, keeping: all[3]) == .applied)
            #expect(try await park(test, [all[5]], grant.token) == .parked(try lane(session, all[3..<6])))
            #expect(try await park(test, [all[6]], grant.token) == .full)
        }
    }

    @Test("A commit removes what it passes, once and only under the lease", arguments: Backend.allCases)
    func unparked(backend: Backend) async throws {
        try await backend.run { test in
            let all = try await fill(test, 6)
            let old = try await test.acquire()
            let grant = try await test.acquire()
            _ = try await park(test, all, grant.token)
            #expect(try await unpark(test, old, 1, keeping: nil) == .fenced)
            #expect(try await unpark(test, grant, 2, keeping: nil) == .outOfOrder)
            #expect(try await parked(test).count == 6)
            #expect(try await unpark(test, grant, 1, keeping: all[2]) == .applied)
            #expect(try await unpark(test, grant, 1, keeping: nil) == .repeated)
            #expect(try await parked(test).map(\.position) == Array(all[2...]))
            #expect(try await test.lag()?.parkedEntries == 4)
            // Behind the last one nothing is left, and nothing of the lane either.
            let behind = StreamPosition(milliseconds: all[5].milliseconds, sequence: all[5].sequence + 1)
            #expect(try await unpark(test, grant, 2, keeping: behind) == .applied)
            #expect(try await parked(test).isEmpty)
            #expect(try await unpark(test, grant, 3, keeping: all[0]) == .applied)
            _ = try await park(test, [all[1]], grant.token)
            #expect(try await unpark(test, grant, 4, keeping: nil) == .applied)
            #expect(try await test.events() == ["e1", "e2", "e3", "e4"])
            let next = try await test.acquire()
            #expect(next.parked.isEmpty)
            let lag = try await test.lag()
            #expect(lag?.parkedEntries == 0 && lag?.parkedBytes == 0)
        }
    }
}
