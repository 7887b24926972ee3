import AudioStreams
import EarshotClient
import EarshotModel
import NIOCore
import NIOWebSocket
import RedisClient
import TestSupport
import Testing

@Suite struct ListenTests {
    @Test("A session starts with the contract's messages, in order")
    func start() async throws {
        try await GatewayHarness.with { harness in
            let inbox = Inbox(try await harness.connect())
            #expect(await inbox.next()?.contains(#""status":"initiating""#) == true)
            #expect(await inbox.next()?.contains("in_progress_conversations_processing") == true)
            let conversation = await inbox.next()
            #expect(conversation?.contains(#""type":"conversation_session""#) == true)
            #expect(conversation?.contains(#""status":"in_progress""#) == true)
            #expect(await inbox.next()?.contains("stt_initiating") == true)
            #expect(await inbox.next()?.contains(#""status":"ready""#) == true)
        }
    }

    @Test("What the device sends stands in Redis byte for byte, numbered, with its end")
    func appended() async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect()
            let messages = (0..<50).map { index in [UInt8](repeating: UInt8(index), count: 320 + 2 * index) }
            for message in messages { try await connection.send(binary: message) }
            await connection.close(code: 1000)
            #expect(try await harness.untilEnded("alice") == .clientClosed)
            let entries = try await harness.entries(of: "alice")
            let frames = entries.flatMap(\.frames).map { Array($0.readableBytesView) }
            #expect(frames == messages)
            var next: UInt64 = 0
            var sample: UInt64 = 0
            for entry in entries {
                #expect(entry.firstSequence == next)
                #expect(entry.firstSample == sample)
                next = entry.nextSequence
                sample += UInt64(entry.sampleCount)
            }
            #expect(sample == UInt64(messages.reduce(0) { $0 + $1.count / 2 }))
        }
    }

    @Test("The device's close code is echoed once its audio is in Redis")
    func echo() async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect()
            try await connection.send(binary: [UInt8](repeating: 1, count: 640))
            async let closed = connection.untilClosed()
            await connection.close(code: 1000)
            #expect(await closed.code == 1000)
            let entries = try await harness.entries(of: "alice")
            #expect(entries.flatMap(\.frames).count == 1)
        }
    }

    @Test("Keep-alives, empty messages, and text of every kind leave the session alone")
    func harmless() async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect()
            try await connection.send(binary: [])
            try await connection.send(binary: [0x8A, 0x00])
            for text in [
                "not json", "[]", #"{"type":"speaker_assigned"}"#, #"{"type":"image_chunk"}"#, #"{"type":"x"}"#,
            ] {
                try await connection.send(text: text)
            }
            try await connection.send(binary: [UInt8](repeating: 7, count: 32))
            await connection.close(code: 1000)
            #expect(try await harness.untilEnded("alice") == .clientClosed)
            #expect(try await harness.entries(of: "alice").flatMap(\.frames).count == 1)
        }
    }

    @Test("A message over 128 KiB is closed with 1009, one of exactly that size is not")
    func tooLarge() async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect()
            try await connection.send(binary: [UInt8](repeating: 0, count: 128 * 1024))
            try await connection.send(binary: [UInt8](repeating: 0, count: 128 * 1024 + 1))
            #expect(await connection.untilClosed().code == 1009)
            #expect(try await harness.untilEnded("alice") == .protocolError)
            #expect(try await harness.entries(of: "alice").flatMap(\.frames).count == 1)
        }
    }

    @Test("Opus packets that cannot be are appended and do not end the session")
    func corruptOpus() async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect("codec=opus_fs320&sample_rate=16000")
            try await connection.send(binary: [0xFF, 0x00, 0x01])
            try await connection.send(binary: [0xB8] + [UInt8](repeating: 3, count: 40))
            await connection.close(code: 1000)
            #expect(try await harness.untilEnded("alice") == .clientClosed)
            let entries = try await harness.entries(of: "alice")
            #expect(entries.flatMap(\.frames).count == 2)
            #expect(entries.reduce(0) { $0 + Int($1.sampleCount) } == 320)
        }
    }

    @Test("A device that closes and goes while the registry is asked: its audio is kept, and that it has closed")
    func goneWhileRegistering() async throws {
        try await RedisFleet.with { shared in
            let proxy = try await FaultProxy.started(to: shared.configuration.port)
            var slow = shared.configuration
            slow.port = proxy.port
            try await GatewayHarness.with(redis: slow) { harness in
                var toxics = Toxics()
                toxics.latency = Toxics.Latency(.milliseconds(300))
                proxy.set(LinkFaults(both: toxics))
                let device = try await RawDevice.connect(harness)
                device.send(.binary, [UInt8](repeating: 1, count: 640))
                device.send(.connectionClose, [0x03, 0xE8])
                device.leave()
                #expect(try await harness.untilEnded("alice") == .clientClosed)
                #expect(try await harness.entries(of: "alice").flatMap(\.frames).count == 1)
                proxy.set(LinkFaults(both: Toxics()))
            }
            await proxy.stop()
        }
    }

    @Test("A quiet device is pinged, and closed with 1001 after the inactivity limit")
    func inactivity() async throws {
        var limits = Limits()
        limits.pingInterval = .seconds(1)
        limits.inactivityTimeout = .seconds(3)
        try await GatewayHarness.with(limits: limits) { harness in
            let closed = try await harness.connect().untilClosed()
            #expect(closed.code == 1001)
            #expect(closed.texts.count { $0 == "ping" } >= 2)
            #expect(try await harness.untilEnded("alice") == .inactive)
        }
    }

    @Test("Pings of the device do not count as messages")
    func devicePings() async throws {
        var limits = Limits()
        limits.inactivityTimeout = .seconds(2)
        try await GatewayHarness.with(limits: limits) { harness in
            let device = try await RawDevice.connect(harness)
            var pings = 0
            let end = try await eventually("its session ends") {
                device.send(.ping, [])
                pings += 1
                // The first few go out whatever Redis takes to answer.
                return pings > 2 ? try await harness.end(of: "alice") : nil
            }
            #expect(end == .inactive)
            #expect(pings > 2)
        }
    }

    @Test("Pings keep their period, however late each of them is")
    func pings() async throws {
        var limits = Limits()
        limits.pingInterval = .milliseconds(1_500)
        limits.inactivityTimeout = .seconds(8)
        try await GatewayHarness.with(limits: limits) { harness in
            // Clocks are looked at once a second: counted from when each was sent, a period would be 2 s.
            let closed = try await harness.connect().untilClosed()
            #expect(closed.texts.count { $0 == "ping" } >= 5)
        }
    }

    @Test(
        "What the device asked of the workers stands in the registry",
        arguments: [
            ("speaker_auto_assign=enabled", true), ("speaker_auto_assign=true", false), ("vad_gate=disabled", false),
        ])
    func asked(query: String, assigns: Bool) async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect("codec=pcm16&sample_rate=16000&\(query)")
            _ = await Inbox(connection).skip(to: #""status":"ready""#)
            let partition = harness.partition(of: "alice")
            let handOff = harness.fleet.handOff
            let id = try #require(try await handOff.liveSessions(in: [partition])[partition]?.first?.key)
            let session = try await handOff.session(id, group: .transcript, in: partition)
            let flags = try #require(session?.parameters.flags)
            #expect(flags == (assigns ? [.transcript, .speakerAutoAssign] : .transcript))
        }
    }

    @Test("A fragmented message is one frame in Redis, with a ping between its pieces answered")
    func fragments() async throws {
        try await GatewayHarness.with { harness in
            let device = try await RawDevice.connect(harness)
            let pieces = (0..<3).map { index in [UInt8](repeating: UInt8(index + 1), count: 200) }
            device.send(.binary, pieces[0], isLast: false)
            device.send(.ping, [7])
            device.send(.continuation, pieces[1], isLast: false)
            device.send(.continuation, [], isLast: false)
            device.send(.continuation, pieces[2])
            device.send(.binary, [9, 9, 9, 9])
            device.send(.connectionClose, [0x03, 0xE8])
            #expect(try await harness.untilEnded("alice") == .clientClosed)
            let frames = try await harness.entries(of: "alice").flatMap(\.frames).map { Array($0.readableBytesView) }
            #expect(frames == [pieces.flatMap(\.self), [9, 9, 9, 9]])
            let received = await device.untilClosed()
            #expect(received.firstRange(of: [0x8A, 0x01, 7]) != nil, "the pong")
            #expect(received.suffix(4) == [0x88, 0x02, 0x03, 0xE8])
        }
    }

    @Test("Fragments that come to more than 128 KiB are closed with 1009, a continuation of nothing with 1002")
    func badFragments() async throws {
        try await GatewayHarness.with { harness in
            let large = try await RawDevice.connect(harness)
            for index in 0..<3 {
                large.send(
                    index == 0 ? .binary : .continuation, [UInt8](repeating: 0, count: 50_000), isLast: false)
            }
            #expect(await large.untilClosed().firstRange(of: [0x03, 0xF1]) != nil)
            #expect(try await harness.untilEnded("alice") == .protocolError)
            #expect(try await harness.entries(of: "alice").flatMap(\.frames).isEmpty)
            let broken = try await RawDevice.connect(harness, user: "bob")
            broken.send(.continuation, [1, 2, 3])
            #expect(await broken.untilClosed().firstRange(of: [0x03, 0xEA]) != nil)
            #expect(try await harness.untilEnded("bob") == .protocolError)
        }
    }

    @Test("A device that vanishes leaves an end marker")
    func vanished() async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect()
            let inbox = Inbox(connection)
            _ = await inbox.skip(to: #""status":"ready""#)
            try await connection.send(binary: [UInt8](repeating: 9, count: 640))
            connection.abort()
            #expect(try await harness.untilEnded("alice") == .connectionLost)
            #expect(try await harness.fleet.handOff.liveSessions(in: [harness.partition(of: "alice")]).isEmpty)
        }
    }

    @Test("A drain appends what waits, closes with 1001 and ends every session")
    func drain() async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect()
            let inbox = Inbox(connection)
            _ = await inbox.skip(to: #""status":"ready""#)
            for _ in 0..<5 { try await connection.send(binary: [UInt8](repeating: 9, count: 640)) }
            try await eventually("the first batch") { try await !harness.entries(of: "alice").isEmpty }
            try await connection.send(binary: [UInt8](repeating: 8, count: 640))
            // The socket is read in order: once the text is counted as a message, the audio before it was taken.
            try await eventually("the last message") {
                try await harness.entries(of: "alice").flatMap(\.frames).count == 6
            }
            await harness.shutDown()
            #expect(try await harness.untilEnded("alice") == .gatewayDraining)
        }
    }

    @Test("M17: a session that went elsewhere is noticed although its device says nothing, and its socket is closed")
    func silentlyLost() async throws {
        var limits = Limits()
        limits.ownershipCheckInterval = .milliseconds(300)
        try await GatewayHarness.with(limits: limits) { harness in
            let inbox = Inbox(try await harness.connect())
            _ = await inbox.skip(to: #""status":"ready""#)
            try await endElsewhere(harness)
            #expect(await inbox.next() == nil)
        }
    }

    @Test("Who closes a session that was ended meanwhile is told with 1001 that his last words are lost")
    func closedBehindTheEnd() async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect()
            let partition = harness.partition(of: "alice")
            try await eventually("the session") {
                try await harness.fleet.handOff.liveSessions(in: [partition])[partition] != nil
            }
            try await endElsewhere(harness)
            try await connection.send(binary: [UInt8](repeating: 9, count: 640))
            async let closing: Void = connection.close(code: 1000)
            #expect(await connection.untilClosed().code == 1001)
            await closing
        }
    }

    /// Ends alice's session as a coordinator would.
    private func endElsewhere(_ harness: GatewayHarness) async throws {
        let partition = harness.partition(of: "alice")
        let live = try await harness.fleet.handOff.liveSessions(in: [partition])
        let session = try #require(live[partition]?.first)
        let user = try #require(UserID("alice"))
        _ = try await harness.fleet.handOff.end(
            SessionEnding(
                session: session.key, user: user, epoch: nil, gateway: harness.incarnation, reason: .gatewayDead,
                now: WallClock.microseconds), in: partition)
    }

    @Test(
        "Another owner of the session is noticed at the next append: the connection is closed, nothing is ended twice")
    func superseded() async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect()
            let inbox = Inbox(connection)
            _ = await inbox.skip(to: #""status":"ready""#)
            try await endElsewhere(harness)
            try await connection.send(binary: [UInt8](repeating: 9, count: 640))
            #expect(await inbox.next() == nil)
            let markers = try await harness.entries(of: "alice").filter { $0.frames.isEmpty }
            #expect(markers.count == 1)
        }
    }
}
