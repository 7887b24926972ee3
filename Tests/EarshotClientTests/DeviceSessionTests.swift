import AudioCodecs
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Testing

@testable import EarshotClient

@Suite("Device sessions", .timeLimit(.minutes(3)))
struct DeviceSessionTests {
    private func stream(_ codec: DeviceCodec = .pcm16, milliseconds: Int = 1_000) throws -> DeviceStream {
        let samples = DeviceStreamTests.tone(sampleRate: 16_000, count: milliseconds * 16)
        return try DeviceStream(samples: samples, sampleRate: 16_000, codec: codec)
    }

    /// As fast as possible, and without waiting for results.
    private func configuration(_ server: TestServer) -> DeviceSessionConfiguration {
        var configuration = DeviceSessionConfiguration(url: server.url)
        configuration.speed = 0
        configuration.linger = .quiet(.zero, atMost: .zero)
        return configuration
    }

    @Test("A session sends all of the recording and closes in order", arguments: DeviceCodec.allCases)
    func sendsAll(codec: DeviceCodec) async throws {
        let listen = ListenScript()
        let stream = try stream(codec)
        try await TestServer.run(listen.script()) { server in
            let report = try await DeviceSession(configuration(server), stream: stream).run(on: server.group)
            #expect(report.outcome == .completed)
            #expect(report.closeCode == 1000)
            #expect(report.sentMessageCount == stream.messageCount)
            #expect(report.sentByteCount == listen.audio.map(\.count).reduce(0, +))
            #expect(report.sentDuration == .seconds(1))
            #expect(report.events.map(\.status) == ["ready"])
            let readyAt = try #require(report.readyAt)
            #expect(report.connectedAt <= readyAt && readyAt <= report.endedAt)
        }
        var iterator = try stream.makeIterator()
        var expected: [[UInt8]] = []
        while let message = try iterator.next() { expected.append([UInt8](buffer: message.payload)) }
        // Compared outside, so that a failure does not print all of the audio.
        let isSame = listen.audio == expected
        #expect(isSame)
        #expect(listen.closeCodes == [1000])
    }

    @Test("Segments are put in by their id and in order, with every text's arrival; deleted ones go")
    func transcript() async throws {
        let listen = ListenScript()
        let script = listen.script(onAudio: { peer, count in
            switch count {
            case 1:
                peer.send(text: "[\(ListenScript.segment("a", "one")), \(ListenScript.segment("b", "zwei"))]")
                peer.send(text: "ping")
            case 2: peer.send(text: "[\(ListenScript.segment("b", "zwei drei", start: 1, end: 2.5))]")
            case 3: peer.send(text: #"{"type": "segments_deleted", "segment_ids": ["a", "unknown"]}"#)
            case 4: peer.send(text: "[\(ListenScript.segment("c", "vier"))]")
            case 5: peer.send(text: "[\(ListenScript.segment("b", "zwei drei", start: 1, end: 3))]")
            case 6: peer.send(text: "[\(ListenScript.segment("a", "again"))]")
            default: break
            }
        })
        try await TestServer.run(script) { server in
            var configuration = configuration(server)
            configuration.linger = .until({ $0["a"]?.text == "again" }, atMost: .seconds(60))
            let report = try await DeviceSession(configuration, stream: stream()).run(on: server.group)
            #expect(report.outcome == .completed)
            #expect(report.transcript.segments.map(\.id) == ["b", "c", "a"])
            #expect(report.transcript.text == "zwei drei vier again")
            #expect(report.transcript.deletedCount == 1)
            #expect(report.pingCount == 1)
            #expect(report.events.map(\.type) == ["service_status", "segments_deleted"])
            let segment = try #require(report.transcript["b"])
            #expect(segment.versions.map(\.text) == ["zwei", "zwei drei"])
            #expect(segment.start == 1 && segment.end == 3)
            #expect(segment.isUser && segment.speaker == "SPEAKER_01" && segment.personID == nil)
            let audioStartedAt = try #require(report.audioStartedAt)
            #expect(audioStartedAt <= segment.firstArrival)
            #expect(segment.firstArrival <= segment.lastArrival)
            #expect(segment.lastArrival <= report.endedAt)
        }
    }

    @Test("Nothing is sent before the server is ready", arguments: [true, false])
    func waitsUntilReady(forService: Bool) async throws {
        let listen = ListenScript()
        let early = Recorder<Int>()
        let conversation = #"{"type": "conversation_session", "conversation_id": "c", "status": "in_progress"}"#
        var script = listen.script(onOpen: { peer in
            peer.send(text: #"{"type": "service_status", "status": "initiating"}"#)
            if forService { peer.send(text: conversation) } else { peer.send(text: ListenScript.ready) }
            // The answer comes after everything that the client sent at once.
            peer.send(.ping, ByteBuffer())
        })
        let onFrame = script.onFrame
        script.onFrame = { peer, frame in
            if frame.opcode == .pong {
                early.record(listen.audio.count)
                peer.send(text: forService ? ListenScript.ready : conversation)
            }
            onFrame(peer, frame)
        }
        try await TestServer.run(script) { server in
            var configuration = configuration(server)
            configuration.readiness = forService ? .serviceReady : .conversationSession
            let report = try await DeviceSession(configuration, stream: stream()).run(on: server.group)
            #expect(report.outcome == .completed)
            #expect(report.sentMessageCount == 10)
            #expect(report.events.count == 3)
        }
        #expect(early.elements == [0])
        #expect(listen.audio.count == 10)
    }

    @Test("A server that does not become ready gets no audio")
    func neverReady() async throws {
        let listen = ListenScript()
        try await TestServer.run(listen.script(onOpen: { _ in })) { server in
            var configuration = configuration(server)
            configuration.readyTimeout = .milliseconds(100)
            let report = try await DeviceSession(configuration, stream: stream()).run(on: server.group)
            #expect(report.outcome == .notReady)
            #expect(report.readyAt == nil && report.audioStartedAt == nil && report.sentMessageCount == 0)
            #expect(report.closeCode == 1000)
        }
        #expect(listen.audio.isEmpty)
    }

    @Test("The token goes with the upgrade")
    func headerToken() async throws {
        let tokens = Recorder<[String]>()
        let listen = ListenScript()
        var script = listen.script()
        script.answer = { head in
            tokens.record(head.headers["Authorization"])
            return .upgrade
        }
        try await TestServer.run(script) { server in
            var configuration = configuration(server)
            configuration.authentication = .header(token: "abc")
            _ = try await DeviceSession(configuration, stream: stream()).run(on: server.group)
        }
        #expect(tokens.elements.first == ["Bearer abc"])
    }

    @Test("The token goes in the first message, and the answer decides", arguments: [true, false])
    func firstMessageToken(isAccepted: Bool) async throws {
        let listen = ListenScript()
        let script = listen.script(
            onOpen: { _ in },
            onText: { peer, text in
                #expect(text.contains(#""token":"a\"b""#) && text.contains(#""type":"auth""#))
                peer.send(text: #"{"type": "auth_response", "success": \#(isAccepted)}"#)
                if isAccepted { peer.send(text: ListenScript.ready) } else { peer.close(code: 1008) }
            })
        try await TestServer.run(script) { server in
            var configuration = configuration(server)
            configuration.authentication = .firstMessage(token: #"a"b"#)
            let report = try await DeviceSession(configuration, stream: stream()).run(on: server.group)
            #expect(report.outcome == (isAccepted ? .completed : .notAuthenticated))
            #expect(report.closeCode == (isAccepted ? 1000 : 1008))
            #expect(report.sentMessageCount == (isAccepted ? 10 : 0))
        }
        #expect(listen.texts.count == 1)
    }

    @Test("A server that ends the session early is reported with its code")
    func endedByServer() async throws {
        let listen = ListenScript()
        let script = listen.script(onAudio: { peer, count in
            if count == 3 { peer.close(code: 1001, reason: "draining") }
        })
        try await TestServer.run(script) { server in
            var configuration = configuration(server)
            configuration.speed = 1
            let report = try await DeviceSession(configuration, stream: stream(milliseconds: 300_000)).run(
                on: server.group)
            #expect(report.outcome == .endedByServer)
            #expect(report.closeCode == 1001)
            #expect(report.closeReason == "draining")
            #expect((3..<3_000).contains(report.sentMessageCount))
        }
    }

    @Test("A server that refuses makes the session throw what it answered")
    func refused() async throws {
        var script = TestScript()
        script.answer = { _ in .refuse(.serviceUnavailable, headers: [("Retry-After", "5")], body: "full") }
        try await TestServer.run(script) { server in
            do {
                _ = try await DeviceSession(configuration(server), stream: stream()).run(on: server.group)
                Issue.record("the session was not refused")
            } catch let error as DeviceConnectionError {
                #expect(error.refusal?.status == 503)
                #expect(error.refusal?.retryAfter == .seconds(5))
            }
        }
    }

    @Test("No message is sent before its audio would have been recorded")
    func paced() async throws {
        let arrivals = Recorder<ContinuousClock.Instant>()
        let listen = ListenScript()
        let script = listen.script(onAudio: { _, _ in arrivals.record(.now) })
        try await TestServer.run(script) { server in
            var configuration = configuration(server)
            configuration.speed = 4
            let started = ContinuousClock.now
            let report = try await DeviceSession(configuration, stream: stream(.opusFS320)).run(on: server.group)
            #expect(report.outcome == .completed)
            for (index, arrival) in arrivals.elements.enumerated() {
                #expect(started.duration(to: arrival) >= .milliseconds(20 * (index + 1)) / 4)
            }
            let audioStartedAt = try #require(report.audioStartedAt)
            let audioEndedAt = try #require(report.audioEndedAt)
            #expect(audioEndedAt - audioStartedAt >= .milliseconds(250))
        }
        #expect(arrivals.elements.count == 50)
    }

    @Test("The device stays for results that come after its last message, until they stop")
    func lingersUntilQuiet() async throws {
        let listen = ListenScript()
        let script = listen.script(onAudio: { peer, count in
            guard count == 10 else { return }
            for index in 1...5 {
                peer.channel.eventLoop.scheduleTask(in: .milliseconds(Int64(20 * index))) {
                    peer.send(text: "[\(ListenScript.segment("a", "version \(index)"))]")
                }
            }
        })
        try await TestServer.run(script) { server in
            var configuration = configuration(server)
            configuration.linger = .quiet(.seconds(5), atMost: .seconds(100))
            let report = try await DeviceSession(configuration, stream: stream()).run(on: server.group)
            #expect(report.outcome == .completed)
            #expect(report.transcript.text == "version 5")
            #expect(report.transcript.segments.first?.versions.count == 5)
            let last = try #require(report.transcript.segments.first?.lastArrival)
            #expect(report.endedAt - last >= .seconds(5))
        }
    }

    @Test("Lingering for a condition that never comes ends at its limit")
    func lingersAtMost() async throws {
        try await TestServer.run(ListenScript().script()) { server in
            var configuration = configuration(server)
            configuration.linger = .until({ _ in false }, atMost: .milliseconds(200))
            let report = try await DeviceSession(configuration, stream: stream()).run(on: server.group)
            #expect(report.outcome == .completed)
            let audioEndedAt = try #require(report.audioEndedAt)
            #expect(report.endedAt - audioEndedAt >= .milliseconds(200))
        }
    }

    @Test("Messages that make no sense are counted and change nothing")
    func unreadable() async throws {
        let listen = ListenScript()
        let script = listen.script(onOpen: { peer in
            for text in ["pong", "[", "{}", "[{\"id\": 1}]", "{\"status\": \"ready\"}", "", "[1, 2]", "null"] {
                peer.send(text: text)
            }
            peer.send(.binary, ByteBuffer(bytes: [1]))
            peer.send(text: #" [{"id": "a", "text": "least"}] "#)
            peer.send(text: #"{"type": "odd", "status": 5, "segment_ids": "x", "success": "maybe"}"#)
            peer.send(text: ListenScript.ready)
        })
        try await TestServer.run(script) { server in
            let report = try await DeviceSession(configuration(server), stream: stream()).run(on: server.group)
            #expect(report.unreadableCount == 9)
            #expect(report.transcript.text == "least")
            #expect(report.events.map(\.type) == ["odd", "service_status"])
            #expect(report.events.first?.json.contains("maybe") == true)
        }
    }

    @Test("The observer is told what happens in its order")
    func observed() async throws {
        let listen = ListenScript()
        let seen = Recorder<String>()
        let script = listen.script(onAudio: { peer, count in
            if count == 10 {
                peer.send(text: "[\(ListenScript.segment("a", "text"))]")
                peer.send(text: #"{"type": "segments_deleted", "segment_ids": ["a"]}"#)
                peer.send(text: "[\(ListenScript.segment("b", "end"))]")
            }
        })
        try await TestServer.run(script) { server in
            var configuration = configuration(server)
            configuration.linger = .until({ $0["b"] != nil }, atMost: .seconds(60))
            configuration.observer = { observation in
                switch observation {
                case .connected: seen.record("connected")
                case .ready: seen.record("ready")
                case .segments(let segments): seen.record("segments \(segments.map(\.id))")
                case .deleted(let ids): seen.record("deleted \(ids)")
                case .event(let event): seen.record("event \(event.type)")
                case .audioEnded: seen.record("audio ended")
                case .closed(let code, _): seen.record("closed \(code ?? 0)")
                }
            }
            _ = try await DeviceSession(configuration, stream: stream()).run(on: server.group)
        }
        // When the audio ends for the device, and when its results come, is up to the network.
        let expected = [
            "connected", "event service_status", "ready", #"segments ["a"]"#, #"deleted ["a"]"#,
            "event segments_deleted", #"segments ["b"]"#, "closed 1000",
        ]
        #expect(seen.elements.filter { $0 != "audio ended" } == expected)
        #expect(seen.elements.contains("audio ended"))
    }

    @Test("Cancelled sessions throw and their connections are reset", arguments: [1, 300])
    func cancelled(count: Int) async throws {
        let ends = Recorder<String?>()
        let audio = Recorder<Int>()
        let listen = ListenScript()
        var script = listen.script(onAudio: { audio.record($1) })
        script.onEnd = { ends.record($0) }
        try await TestServer.run(script) { server in
            var configuration = configuration(server)
            configuration.speed = 0.1
            let session = DeviceSession(configuration, stream: try stream(milliseconds: 600_000))
            await withTaskGroup(of: DeviceConnectionError?.self) { tasks in
                for _ in 0..<count {
                    tasks.addTask {
                        do {
                            _ = try await session.run(on: server.group)
                            return nil
                        } catch { return error as? DeviceConnectionError }
                    }
                }
                _ = await audio.wait(for: count)
                tasks.cancelAll()
                for await error in tasks { #expect(error?.code == .cancelled) }
            }
            #expect(await ends.wait(for: count).count == count)
        }
        #expect(listen.closeCodes.isEmpty)
    }

    @Test("Speeds outside the range are refused", arguments: [-1, 0.05, 1_001, .infinity, .nan])
    func refusedSpeeds(speed: Double) async throws {
        var configuration = DeviceSessionConfiguration(url: "ws://127.0.0.1:1")
        configuration.speed = speed
        let session = DeviceSession(configuration, stream: try stream())
        await #expect(throws: AudioCodecError(.invalidArgument, "")) {
            try await session.run(on: MultiThreadedEventLoopGroup.singleton)
        }
    }

    @Test("Five hundred sessions run at once on one event loop")
    func many() async throws {
        let count = 500
        let listen = ListenScript()
        let script = listen.script(onAudio: { peer, _ in
            peer.send(text: "[\(ListenScript.segment("a", "text"))]")
        })
        let stream = try stream(.opusFS320, milliseconds: 200).prepared()
        try await TestServer.run(script) { server in
            let loop = server.group.next()
            var configuration = configuration(server)
            configuration.speed = 1
            configuration.linger = .until({ $0["a"] != nil }, atMost: .seconds(100))
            let session = DeviceSession(configuration, stream: stream)
            try await withThrowingTaskGroup(of: DeviceReport.self) { tasks in
                for _ in 0..<count { tasks.addTask { try await session.run(on: loop) } }
                for try await report in tasks {
                    #expect(report.outcome == .completed)
                    #expect(report.sentMessageCount == 10)
                }
            }
        }
        #expect(listen.audio.count == 10 * count)
    }
}
