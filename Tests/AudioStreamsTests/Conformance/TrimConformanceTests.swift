import AudioStreams
import EarshotModel
import NIOCore
import TestSupport
import Testing

@Suite("Hand-off: trimming and lag")
struct TrimConformanceTests {
    /// Appends entries and returns their positions.
    private func fill(_ test: HandOffUnderTest, _ count: Int) async throws -> [StreamPosition] {
        var positions: [StreamPosition] = []
        for number in 0..<count {
            positions.append(try await test.handOff.append(.init(string: "entry \(number)"), to: test.partition))
        }
        return positions
    }

    private func move(
        _ test: HandOffUnderTest, _ group: WorkerGroup, to position: StreamPosition, read: Int64
    ) async throws {
        let grant = try await test.acquire(group)
        let reached = Commit.Position(position: position, entriesRead: read)
        #expect(try await test.commit(grant.token, 1, position: reached, group: group) == .applied)
    }

    private func trim(_ test: HandOffUnderTest, _ token: FencingToken) async throws -> Int64 {
        try await test.handOff.trim(.audio, in: test.partition, token: token, group: .coordinator)
    }

    @Test(
        "A stream is trimmed to what the slowest enabled group needs, and lags stay right", arguments: Backend.allCases)
    func minimum(backend: Backend) async throws {
        try await backend.run { test in
            let groups: [WorkerGroup] = [.transcript, .privateCloud]
            try await test.handOff.enable(audioGroups: groups, eventGroups: [], in: [test.partition])
            let positions = try await fill(test, 10)
            let coordinator = try await test.acquire(.coordinator, stream: nil)
            #expect(try await trim(test, coordinator.token) == 0)
            try await move(test, .transcript, to: positions[7], read: 8)
            // A group that is not enabled does not hold anything back.
            _ = try await test.acquire(.audioBytes)
            #expect(try await trim(test, coordinator.token) == 0)
            try await move(test, .privateCloud, to: positions[3], read: 4)
            #expect(try await trim(test, coordinator.token) == 3)
            #expect(try await test.stream(.audio).map(\.position) == Array(positions[3...]))
            #expect(try await test.lagCounts(.transcript) == [2, 7])
            #expect(try await test.lagCounts(.privateCloud) == [6, 7])
            _ = try await fill(test, 2)
            #expect(try await test.lag(.transcript)?.entries == 4)
            #expect(try await trim(test, coordinator.token) == 0)
        }
    }

    @Test("A missing group or a stale token trims nothing", arguments: Backend.allCases)
    func refused(backend: Backend) async throws {
        try await backend.run { test in
            let positions = try await fill(test, 4)
            try await move(test, .transcript, to: positions[3], read: 4)
            let old = try await test.acquire(.coordinator, stream: nil)
            let coordinator = try await test.acquire(.coordinator, stream: nil)
            // Nothing was enabled: nobody knows who needs what.
            #expect(try await trim(test, coordinator.token) == 0)
            try await test.handOff.enable(audioGroups: [.transcript], eventGroups: [], in: [test.partition])
            #expect(try await trim(test, old.token) == -1)
            #expect(try await test.stream(.audio).count == 4)
            #expect(try await trim(test, coordinator.token) == 3)
        }
    }

    @Test("Enabling creates the groups at the beginning, so that what they need stays", arguments: Backend.allCases)
    func enabling(backend: Backend) async throws {
        try await backend.run { test in
            let positions = try await fill(test, 4)
            let groups: [WorkerGroup] = [.transcript, .privateCloud]
            try await test.handOff.enable(audioGroups: groups, eventGroups: [.record], in: [test.partition])
            try await test.handOff.enable(audioGroups: groups, eventGroups: [.record], in: [test.partition])
            #expect(try await test.lag(.privateCloud)?.entries == 4)
            try await move(test, .transcript, to: positions[3], read: 4)
            let coordinator = try await test.acquire(.coordinator, stream: nil)
            #expect(try await trim(test, coordinator.token) == 0)
        }
    }

    @Test("A group that comes after a trim begins with the right lag", arguments: Backend.allCases)
    func lateGroup(backend: Backend) async throws {
        try await backend.run { test in
            try await test.handOff.enable(audioGroups: [.transcript], eventGroups: [], in: [test.partition])
            let positions = try await fill(test, 10)
            try await move(test, .transcript, to: positions[6], read: 7)
            let coordinator = try await test.acquire(.coordinator, stream: nil)
            #expect(try await trim(test, coordinator.token) == 6)
            let late = try await test.acquire(.audioBytes)
            #expect(late.position == .start && late.entriesRead == 6)
            #expect(try await test.lagCounts(.audioBytes) == [4, 4])
        }
    }

    @Test(
        "The lag of a stream that does not exist is zero, of a group that does not exist unknown",
        arguments: Backend.allCases)
    func unknown(backend: Backend) async throws {
        try await backend.run { test in
            #expect(try await test.lagCounts() == [0, 0])
            _ = try await fill(test, 2)
            #expect(try await test.lagCounts() == [nil, 2])
        }
    }
}
