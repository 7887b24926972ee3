import AudioStreams
import EarshotModel
import RedisClient
import TestSupport
import Testing

/// The states of operations.md 3.2: what a lag says in each, in entries and in time.
@Suite("Hand-off: lag in every state of a stream")
struct LagConformanceTests {
    private let session = TestSession(user: "u1")

    /// Appends entries of one frame of 10 ms each, captured 10 ms apart.
    private func fill(_ test: HandOffUnderTest, from first: UInt64 = 0, _ count: Int) async throws -> [StreamPosition] {
        var positions: [StreamPosition] = []
        for number in first..<first + UInt64(count) {
            positions.append(
                try await test.handOff.append(session.entry(from: number, count: 1), to: test.partition))
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

    /// What a lag says; each entry that is unread, or may be, is 10 ms of audio.
    private func expect(
        _ test: HandOffUnderTest, _ group: WorkerGroup, _ entries: Int64?, of length: Int64, span: Duration,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let lag = try await test.lag(group)
        #expect(
            lag
                == GroupLag(
                    partition: test.partition, entries: entries, length: length, span: span,
                    audio: .milliseconds(10 * (entries ?? length))),
            sourceLocation: sourceLocation)
    }

    @Test("A slow group beside a fast one, a new group, a trimmed stream", arguments: Backend.allCases)
    func states(backend: Backend) async throws {
        try await backend.run { test in
            let groups: [WorkerGroup] = [.transcript, .privateCloud]
            try await test.handOff.enable(audioGroups: groups, eventGroups: [], in: [test.partition])
            let positions = try await fill(test, 100)
            try await expect(test, .transcript, 100, of: 100, span: .milliseconds(990))
            try await move(test, .transcript, to: positions[99], read: 100)
            try await expect(test, .transcript, 0, of: 100, span: .zero)
            try await move(test, .privateCloud, to: positions[39], read: 40)
            try await expect(test, .privateCloud, 60, of: 100, span: .milliseconds(590))
            let coordinator = try await test.acquire(.coordinator, stream: nil)
            let removed = try await test.handOff.trim(
                .audio, in: test.partition, token: coordinator.token, group: .coordinator)
            #expect(removed == 39)
            try await expect(test, .privateCloud, 60, of: 61, span: .milliseconds(590))
            try await expect(test, .transcript, 0, of: 61, span: .zero)
            // A group that comes now has all that is left before it.
            _ = try await test.acquire(.audioBytes)
            try await expect(test, .audioBytes, 61, of: 61, span: .milliseconds(600))
            _ = try await fill(test, from: 100, 50)
            try await expect(test, .transcript, 50, of: 111, span: .milliseconds(490))
            try await expect(test, .privateCloud, 110, of: 111, span: .milliseconds(1_090))
            // A group that nobody created is no zero.
            try await expect(test, .webhook, nil, of: 111, span: .milliseconds(1_100))
            #expect(try await test.lag(.webhook)?.entriesAtMost == 111)
        }
    }

    @Test("Seconds of audio are every user's, each at the rate of its device", arguments: Backend.allCases)
    func users(backend: Backend) async throws {
        try await backend.run { test in
            try await test.handOff.enable(audioGroups: [.transcript], eventGroups: [], in: [test.partition])
            // What is 10 ms at 16 kHz is 20 ms at 8 kHz.
            let other = TestSession(user: "u2")
            _ = try await test.register(session)
            var registration = other.registration()
            registration.parameters.sampleRate = 8_000
            let grant = try await test.handOff.register(registration, in: test.partition)
            _ = try await fill(test, 10)
            for number in 0..<UInt64(10) {
                _ = try await test.handOff.append(other.entry(from: number, count: 1), to: test.partition)
            }
            #expect(try await test.lag()?.audio == .milliseconds(10 * 10 + 10 * 20))
            _ = try await test.handOff.end(other.ending(epoch: grant.epoch), in: test.partition)
            #expect(try await test.lagCounts() == [21, 21])
            #expect(try await test.lag()?.audio == .milliseconds(10 * 10 + 10 * 20))
        }
    }

    @Test("Of a long backlog the mean of its two ends counts")
    func longBacklogOnRedis() async throws {
        try await Backend.redis.run { test in
            try await test.handOff.enable(audioGroups: [.transcript], eventGroups: [], in: [test.partition])
            // 100 entries of 10 ms, then 100 of 30 ms.
            _ = try await fill(test, 100)
            for number in 0..<UInt64(100) {
                _ = try await test.handOff.append(
                    session.entry(from: 100 + 3 * number, count: 3), to: test.partition)
            }
            let lag = try #require(try await test.lag())
            #expect(lag.entries == 200 && lag.audio == .milliseconds(200 * 20))
        }
    }

    /// A command on the audio stream of the fleet.
    private func command(_ fleet: RedisFleet, _ test: HandOffUnderTest, _ words: [String]) async throws {
        let key = fleet.keys.audio(test.partition)
        let parts = words.map { RedisArgument($0 == "KEY" ? key : $0) }
        #expect(try await fleet.client.execute(RedisCommand(parts)).asError == nil)
    }

    @Test("What Redis cannot tell is unknown, and counts as the whole stream")
    func unknownOnRedis() async throws {
        try await Backend.redis.run { test in
            guard case .redis(let fleet) = test.content else { return }
            _ = try await fill(test, 10)
            // Created at the end without a count, as other tools do: Redis says NULL once something is appended.
            try await command(fleet, test, ["XGROUP", "CREATE", "KEY", "transcript", "$"])
            _ = try await fill(test, from: 10, 4)
            let lag = try #require(try await test.lag())
            #expect(lag.entries == nil && lag.entriesAtMost == 14 && lag.span == .milliseconds(30))
        }
    }

    @Test("A stream that was trimmed past a group says more than there is left, and that is how it is noticed")
    func trimmedOnRedis() async throws {
        try await Backend.redis.run { test in
            guard case .redis(let fleet) = test.content else { return }
            try await test.handOff.enable(audioGroups: [.transcript], eventGroups: [], in: [test.partition])
            let positions = try await fill(test, 10)
            try await move(test, .transcript, to: positions[1], read: 2)
            try await command(fleet, test, ["XTRIM", "KEY", "MAXLEN", "5"])
            let lag = try #require(try await test.lag())
            #expect(lag.entries == 8 && lag.length == 5 && lag.trimmedUnread == 3 && lag.entriesAtMost == 5)
            #expect(lag.span == .milliseconds(40))
        }
    }

    @Test("Deleting single entries makes a lag unknown: nothing here may do it")
    func deletedOnRedis() async throws {
        try await Backend.redis.run { test in
            guard case .redis(let fleet) = test.content else { return }
            try await test.handOff.enable(audioGroups: [.transcript], eventGroups: [], in: [test.partition])
            let positions = try await fill(test, 10)
            try await move(test, .transcript, to: positions[1], read: 2)
            try await command(fleet, test, ["XDEL", "KEY", "\(positions[5])"])
            let lag = try #require(try await test.lag())
            #expect(lag.entries == nil && lag.entriesAtMost == 9)
        }
    }

    @Test("A group that somebody made in the middle is unknown until its first commit says how far it is")
    func middleOnRedis() async throws {
        try await Backend.redis.run { test in
            guard case .redis(let fleet) = test.content else { return }
            let positions = try await fill(test, 10)
            try await command(fleet, test, ["XGROUP", "CREATE", "KEY", "transcript", "\(positions[3])"])
            let unknown = try #require(try await test.lag())
            #expect(unknown.entries == nil && unknown.entriesAtMost == 10 && unknown.span == .milliseconds(50))
            try await move(test, .transcript, to: positions[6], read: 7)
            try await expect(test, .transcript, 3, of: 10, span: .milliseconds(20))
        }
    }

    @Test("A stream that is lost and appended to again is unknown, until the groups are there again")
    func lostOnRedis() async throws {
        try await Backend.redis.run { test in
            guard case .redis(let fleet) = test.content else { return }
            try await test.handOff.enable(audioGroups: [.transcript], eventGroups: [], in: [test.partition])
            let positions = try await fill(test, 10)
            try await move(test, .transcript, to: positions[9], read: 10)
            try await expect(test, .transcript, 0, of: 10, span: .zero)
            try await command(fleet, test, ["DEL", "KEY"])
            _ = try await fill(test, from: 10, 3)
            try await expect(test, .transcript, nil, of: 3, span: .milliseconds(20))
            try await test.handOff.enable(audioGroups: [.transcript], eventGroups: [], in: [test.partition])
            try await expect(test, .transcript, 3, of: 3, span: .milliseconds(20))
        }
    }
}
