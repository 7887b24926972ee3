import EarshotClient
import EarshotModel
import NIOCore
import TestSupport
import Testing

@Suite struct BackendSessionTests {
    private let start = 1_700_000_000.25

    @Test("Audio of an announced conversation stands in one session of it, with its timestamps and its end")
    func audio() async throws {
        try await GatewayHarness.withDoor { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.send(100)
            try await peer.send(103, "c1")
            for index in 0..<5 {
                try await peer.audio(start + Double(index), samples: 16_000, value: Int16(index))
            }
            // Announced again, as a sender may on every connection.
            try await peer.send(103, "c1")
            // Half a sample at the end belongs to nothing.
            try await peer.send(101, BackendPeer.stamp(start + 9) + BackendPeer.pcm(160, 7) + [1])
            async let closed = peer.untilClosed()
            await peer.connection.close(code: 1000)
            #expect(await closed.code == 1000)
            let sessions = try await harness.untilOver(1)
            #expect(sessions.map(\.conversation) == ["c1"])
            #expect(sessions[0].codec == "pcm16")
            #expect(sessions[0].sampleRate == 16_000)
            #expect(sessions[0].source == "backend")
            let expected = (0..<5).flatMap { BackendPeer.pcm(16_000, Int16($0)) } + BackendPeer.pcm(160, 7)
            #expect(try await harness.audio(of: sessions[0]) == expected)
            let captures = try await harness.captures(of: sessions[0])
            #expect(captures.first?.time == 1_700_000_000_250_000)
            #expect(captures.last?.time == 1_700_000_009_250_000)
            for (one, next) in zip(captures, captures.dropFirst()) where next.samples != 160 {
                #expect(next.time - one.time == Int64(one.samples) * 1_000_000 / 16_000)
            }
        }
    }

    @Test("Another conversation begins another session, and nothing of the one before is left behind")
    func switching() async throws {
        try await GatewayHarness.withDoor { harness in
            let peer = try await BackendPeer.connect(harness)
            for (index, conversation) in ["one", "two", "one"].enumerated() {
                try await peer.send(103, conversation)
                try await peer.audio(start + Double(index), samples: 1_000 + index, value: Int16(index))
            }
            peer.connection.abort()
            let sessions = try await harness.untilOver(3)
            #expect(sessions.map(\.conversation) == ["one", "two", "one"])
            for (index, session) in sessions.enumerated() {
                #expect(try await harness.audio(of: session) == BackendPeer.pcm(1_000 + index, Int16(index)))
            }
        }
    }

    @Test("Audio before its conversation waits for the 103")
    func early() async throws {
        try await GatewayHarness.withDoor { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.audio(start, value: 1)
            try await peer.audio(start + 0.1, value: 2)
            try await peer.send(103, "c1")
            try await peer.audio(start + 0.2, value: 3)
            await peer.connection.close(code: 1000)
            let sessions = try await harness.untilOver(1)
            #expect(sessions.map(\.conversation) == ["c1"])
            let expected = [1, 2, 3].flatMap { BackendPeer.pcm(1_600, $0) }
            #expect(try await harness.audio(of: sessions[0]) == expected)
        }
    }

    @Test("A sender that announces nothing behind a reconnect is understood by its transcripts")
    func fallback() async throws {
        try await GatewayHarness.withDoor { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.audio(start, value: 1)
            try await peer.send(102, #"{"segments": [], "memory_id": "c1"}"#)
            try await peer.audio(start + 0.1, value: 2)
            try await peer.send(103, "c2")
            // From here on only a 103 moves audio.
            try await peer.send(102, #"{"segments": [{"text": "late"}], "memory_id": "c1"}"#)
            try await peer.audio(start + 0.2, value: 3)
            await peer.connection.close(code: 1000)
            let sessions = try await harness.untilOver(2)
            #expect(sessions.map(\.conversation) == ["c1", "c2"])
            #expect(try await harness.audio(of: sessions[0]) == [1, 2].flatMap { BackendPeer.pcm(1_600, $0) })
            #expect(try await harness.audio(of: sessions[1]) == BackendPeer.pcm(1_600, 3))
            let transcripts = try await harness.events(of: "alice", .transcriptSegments)
            #expect(transcripts.map(\.conversation) == ["c1"])
        }
    }

    @Test("Audio that nobody claims goes to the user's open conversation, at the bound and at the close")
    func unclaimed() async throws {
        var limits = Limits()
        limits.backendHeldBytesMaximum = 10_000
        try await GatewayHarness.withDoor(limits: limits) { harness in
            let first = try await BackendPeer.connect(harness)
            try await first.audio(start, samples: 6_000, value: 1)
            _ = try await eventually("the bound") { try await harness.sessions(of: "alice").first }
            await first.connection.close(code: 1000)
            let second = try await BackendPeer.connect(harness)
            try await second.audio(start + 10, samples: 100, value: 2)
            await second.connection.close(code: 1000)
            let sessions = try await harness.untilOver(2)
            #expect(sessions[0].conversation == sessions[1].conversation)
            #expect(try await harness.audio(of: sessions[0]) == BackendPeer.pcm(6_000, 1))
            #expect(try await harness.audio(of: sessions[1]) == BackendPeer.pcm(100, 2))
        }
    }

    @Test("Minutes of audio in one message, as a sender has them behind an outage, are taken whole")
    func backlog() async throws {
        try await GatewayHarness.withDoor { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.send(103, "c1")
            try await peer.audio(start, samples: 5 << 20, value: 3)
            await peer.connection.close(code: 1000)
            let sessions = try await harness.untilOver(1)
            #expect(try await harness.captures(of: sessions[0]).reduce(0) { $0 + $1.samples } == 5 << 20)
        }
    }

    @Test("The second version of the timeline takes a replay once, and joins nothing across a gap")
    func timeline() async throws {
        try await GatewayHarness.withDoor { harness in
            let peer = try await BackendPeer.connect(harness, "uid=alice&sample_rate=16000&audio_timeline=2")
            try await peer.send(103, "c1")
            try await peer.audio(start, value: 1)
            try await peer.audio(start, value: 1)
            try await peer.audio(start + 0.05, value: 9)
            try await peer.audio(start + 0.2, value: 2)
            await peer.connection.close(code: 1000)
            let sessions = try await harness.untilOver(1)
            let expected = BackendPeer.pcm(1_600, 1) + BackendPeer.pcm(800, 9) + BackendPeer.pcm(1_600, 2)
            #expect(try await harness.audio(of: sessions[0]) == expected)
            let captures = try await harness.captures(of: sessions[0])
            #expect(captures.first?.time == 1_700_000_000_250_000)
            #expect(captures.dropLast().reduce(0) { $0 + $1.samples } == 2_400)
            // The last stands alone, behind the gap.
            #expect(captures.last?.time == 1_700_000_000_450_000)
            #expect(captures.last?.samples == 1_600)
        }
    }

    @Test("Silence is closed with 1011, and what it held is stored")
    func silence() async throws {
        var limits = Limits()
        limits.backendSilenceMaximum = .seconds(2)
        try await GatewayHarness.withDoor(limits: limits) { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.audio(start, value: 1)
            #expect(await peer.untilClosed().code == 1011)
            let sessions = try await harness.untilOver(1)
            #expect(try await harness.audio(of: sessions[0]) == BackendPeer.pcm(1_600, 1))
            #expect(try await harness.untilEnded("alice") == .inactive)
        }
    }

    @Test("A drain closes with 1001 and keeps everything")
    func drain() async throws {
        try await GatewayHarness.withDoor { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.send(103, "c1")
            for index in 0..<20 { try await peer.audio(start + Double(index) / 10, value: Int16(index)) }
            await harness.shutDown()
            #expect(await peer.untilClosed().code == 1001)
            let sessions = try await harness.untilOver(1)
            #expect(try await harness.untilEnded("alice") == .gatewayDraining)
            let expected = (0..<20).flatMap { BackendPeer.pcm(1_600, Int16($0)) }
            #expect(try await harness.audio(of: sessions[0]) == expected)
        }
    }

    @Test("A Redis that stands still, and one that dies, cost nothing")
    func slowRedis() async throws {
        let server = try RedisServer.started()
        try await GatewayHarness.withDoor(server: server) { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.send(103, "c1")
            try await peer.audio(start, value: 0)
            _ = try await eventually("the first session") { try await harness.sessions(of: "alice").first }
            server.freeze()
            for index in 1..<40 { try await peer.audio(start + Double(index) / 10, value: Int16(index)) }
            try await peer.send(103, "c2")
            server.thaw()
            for index in 40..<60 { try await peer.audio(start + Double(index) / 10, value: Int16(index)) }
            try await peer.send(102, #"{"segments": [{"text": "one"}, {"text": "two"}], "memory_id": "c2"}"#)
            server.kill()
            for index in 60..<80 { try await peer.audio(start + Double(index) / 10, value: Int16(index)) }
            try await peer.send(102, #"{"segments": [{"text": "three"}], "memory_id": "c2"}"#)
            try await peer.send(104, #"{"conversation_id": "c2"}"#)
            try server.start()
            #expect(await peer.next()?.text == #"{"conversation_id": "c2", "success": true}"#)
            await peer.connection.close(code: 1000)
            let sessions = try await harness.untilOver(2)
            let expected = [0..<40, 40..<80].map { $0.flatMap { BackendPeer.pcm(1_600, Int16($0)) } }
            #expect(try await harness.audio(of: sessions[0]) == expected[0])
            #expect(try await harness.audio(of: sessions[1]) == expected[1])
            let texts = try await harness.events(of: "alice", .transcriptSegments)
                .flatMap { $0.segments ?? [] }.map(\.text)
            #expect(texts == ["one", "two", "three"])
        }
    }
}
