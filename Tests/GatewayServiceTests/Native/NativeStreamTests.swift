import AudioStreams
import EarshotClient
import EarshotModel
import NIOCore
import NIOPosix
import RedisClient
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct NativeStreamTests {
    @Test("Without the subprotocol it is 400; malformed values too; what is not served is closed after the upgrade")
    func refused() async throws {
        try await GatewayHarness.with { harness in
            let error = await #expect(throws: DeviceConnectionError.self) {
                try await DeviceConnection.connect(
                    url: harness.url(path: "/v1/stream"), headers: [("Authorization", "Bearer dev:alice")],
                    on: MultiThreadedEventLoopGroup.singleton)
            }
            #expect(error?.refusal?.status == 400)
            #expect(error?.refusal?.body.contains("earshot.v1") == true)
            for query in ["resume=x", "from=-1", "from=x", "ack=maybe"] {
                let error = await #expect(throws: DeviceConnectionError.self) { try await harness.native(query) }
                #expect(error?.refusal?.status == 400, "\(query)")
            }
            let unauthorised = await #expect(throws: DeviceConnectionError.self) {
                try await harness.native(headers: [("Authorization", "Bearer nonsense")])
            }
            #expect(unauthorised?.refusal?.status == 401)
            for (query, code) in [("codec=mp3", UInt16(1003)), ("language=xx", 1008)] {
                let closed = try await harness.native(query).untilClosed()
                #expect(closed.code == code)
            }
        }
    }

    @Test("Messages are numbered from 0, empty ones too, and acknowledged at once at the close")
    func acknowledged() async throws {
        let server = try RedisServer.started()
        try await GatewayHarness.with(redis: server.configuration) { harness in
            let connection = try await harness.native()
            let inbox = NativeInbox(connection)
            let session = await inbox.next() ?? ""
            #expect(session.contains(#""type":"session""#) && session.contains(#""resumed":false,"next":0"#))
            #expect(await inbox.next() == #"{"type":"status","status":"ready"}"#)
            let messages = [[1, 2, 3, 4], [], [5, 6]].map { (bytes: [UInt8]) in bytes }
            for message in messages { try await connection.send(binary: message) }
            await connection.close(code: 1000)
            #expect(await inbox.skip(to: #""next":3"#) == #"{"type":"ack","next":3,"durability":"fsynced"}"#)
            #expect(try await harness.untilEnded("alice") == .clientClosed)
            #expect(
                try await harness.entries(of: "alice").flatMap(\.frames).map { Array($0.readableBytesView) } == messages
            )
        }
    }

    @Test("While something is unacknowledged there is a word a second; then there is none")
    func paced() async throws {
        let server = try RedisServer.started()
        try await GatewayHarness.with(redis: server.configuration) { harness in
            let connection = try await harness.native()
            let inbox = NativeInbox(connection)
            _ = await inbox.skip(to: "ready")
            server.freeze()
            try await connection.send(binary: [UInt8](repeating: 1, count: 640))
            for _ in 0..<3 { #expect(await inbox.skip(to: "\"ack\"")?.contains(#""next":0"#) == true) }
            server.thaw()
            #expect(await inbox.skip(to: #""next":1"#)?.contains(#""type":"ack""#) == true)
            connection.abort()
        }
    }

    @Test("A level that cannot be given is named as the one that is", arguments: ["fsynced", "stored"])
    func levels(wanted: String) async throws {
        // The shared server keeps nothing on disk.
        try await GatewayHarness.with { harness in
            let connection = try await harness.native("ack=\(wanted)")
            let inbox = NativeInbox(connection)
            #expect(await inbox.next()?.contains(#""ack":"redis""#) == true)
            try await connection.send(binary: [UInt8](repeating: 1, count: 640))
            #expect(await inbox.skip(to: #""next":1"#) == #"{"type":"ack","next":1,"durability":"redis"}"#)
            connection.abort()
        }
    }

    @Test("Where Redis leaves its disk alone while it rewrites its file, always is not always")
    func rewriting() async throws {
        let server = try RedisServer.started(options: ["--no-appendfsync-on-rewrite", "yes"])
        try await GatewayHarness.with(redis: server.configuration) { harness in
            let connection = try await harness.native()
            #expect(await NativeInbox(connection).next()?.contains(#""ack":"redis""#) == true)
            connection.abort()
        }
    }

    @Test("A cut connection ends its session; a resume goes on in the same conversation with what was acknowledged")
    func resumed() async throws {
        try await GatewayHarness.with { harness in
            let first = try await harness.native()
            let inbox = NativeInbox(first)
            let opened = try #require(NativeOpened(await inbox.next()))
            for number in 0..<5 { try await first.send(binary: [UInt8](repeating: UInt8(number), count: 640)) }
            _ = await inbox.skip(to: #""ack","next":5"#)
            try await harness.untilNoted(opened.session, last: 4, of: "alice")
            first.abort()
            #expect(try await harness.untilEnded("alice") == .connectionLost)
            let second = try await harness.native("resume=\(opened.session)&from=3")
            let resumed = try #require(NativeOpened(await NativeInbox(second).next()))
            #expect(resumed.isResumed && resumed.next == 5 && resumed.conversation == opened.conversation)
            #expect(resumed.session != opened.session)
            try await second.send(binary: [UInt8](repeating: 5, count: 640))
            await second.close(code: 1000)
            #expect(try await harness.frames(of: "alice").map(\.first) == [0, 1, 2, 3, 4, 5])
        }
    }

    @Test("A second connection takes a live session over: the first is closed with 4009, and its end is there once")
    func takenOver() async throws {
        try await GatewayHarness.with { harness in
            for round in 0..<6 {
                let user = "user\(round)"
                let first = try await harness.native(user: user)
                let inbox = NativeInbox(first)
                let opened = try #require(NativeOpened(await inbox.next()))
                let second = try await harness.native("resume=\(opened.session)", user: user)
                let resumed = try #require(NativeOpened(await NativeInbox(second).next()))
                #expect(resumed.isResumed)
                #expect(await inbox.closeCode() == 4009)
                // Resumed by the first session's id, the newest of the chain is meant.
                let third = try await harness.native("resume=\(opened.session)", user: user)
                #expect(NativeOpened(await NativeInbox(third).next())?.isResumed == true)
                third.abort()
                second.abort()
            }
        }
    }

    @Test("A session that goes on at another gateway: the one that had it closes its connection with 4009")
    func takenOverElsewhere() async throws {
        try await GatewayHarness.with { harness in
            let inbox = NativeInbox(try await harness.native())
            let opened = try #require(NativeOpened(await inbox.next()))
            let other = TestSession(
                user: "alice", gateway: Incarnation(startingAs: "gateway-1"), at: WallClock.microseconds)
            let request = other.resuming(try #require(SessionID(opened.session)))
            _ = try await harness.fleet.handOff.register(request, in: harness.partition(of: "alice"))
            #expect(await inbox.closeCode() == 4009)
            // And back: the one of the other gateway is ended, once.
            let back = try await harness.native("resume=\(other.id)")
            #expect(NativeOpened(await NativeInbox(back).next())?.isResumed == true)
            let ended = try await harness.fleet.handOff.session(
                other.id, group: .transcript, in: harness.partition(of: "alice"))
            #expect(ended?.endReason == .superseded)
            back.abort()
        }
    }

    @Test("A message before the server has said session closes the connection: it would have no number")
    func early() async throws {
        let server = try RedisServer.started()
        let proxy = try await FaultProxy.started(to: server.configuration.port)
        var slow = server.configuration
        slow.port = proxy.port
        try await GatewayHarness.with(redis: slow) { harness in
            var toxics = Toxics()
            toxics.latency = Toxics.Latency(.milliseconds(400))
            proxy.set(LinkFaults(both: toxics))
            // The registry takes most of a second from here on.
            let connection = try await harness.native()
            try await connection.send(binary: [1, 2])
            #expect(await NativeInbox(connection).closeCode() == 1002)
            proxy.set(LinkFaults())
            connection.abort()
        }
        await proxy.stop()
    }

    @Test("A session of another user is not resumed: a new one begins")
    func foreign() async throws {
        try await GatewayHarness.with { harness in
            let first = try await harness.native(user: "alice")
            let opened = try #require(NativeOpened(await NativeInbox(first).next()))
            let second = try await harness.native("resume=\(opened.session)&from=7", user: "mallory")
            let other = try #require(NativeOpened(await NativeInbox(second).next()))
            #expect(!other.isResumed && other.conversation != opened.conversation && other.next == 7)
            try await first.send(binary: [1, 2])
            await first.close(code: 1000)
            second.abort()
        }
    }

    @Test("A drain appends what waits, acknowledges it, says when to come again, and closes with 1012")
    func drained() async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.native()
            let inbox = NativeInbox(connection)
            _ = await inbox.skip(to: "ready")
            for _ in 0..<5 { try await connection.send(binary: [UInt8](repeating: 9, count: 640)) }
            try await eventually("the batch") { try await harness.frames(of: "alice").count == 5 }
            await harness.shutDown()
            var texts: [String] = []
            while let text = await inbox.next() { texts.append(text) }
            #expect(texts.dropLast().last?.contains(#""next":5"#) == true)
            #expect(texts.last?.contains(#""type":"closing","reason":"draining","retry_after_ms":"#) == true)
            #expect(await inbox.closeCode() == 1012)
        }
    }

    @Test("A device that sends nothing is closed with 1001; one that answers no ping is cut")
    func silent() async throws {
        var limits = Limits()
        limits.pingInterval = .seconds(1)
        limits.inactivityTimeout = .seconds(3)
        try await GatewayHarness.with(limits: limits) { harness in
            let closed = try await harness.native().untilClosed()
            #expect(closed.code == 1001)
            #expect(closed.texts.last?.contains(#""reason":"inactive""#) == true)
            #expect(try await harness.untilEnded("alice") == .inactive)
        }
        limits.inactivityTimeout = .seconds(60)
        limits.deadPeerTimeout = .seconds(3)
        try await GatewayHarness.with(limits: limits) { harness in
            let proxy = try await FaultProxy.started(to: harness.port)
            let connection = try await harness.native(port: proxy.port)
            _ = await NativeInbox(connection).next()
            proxy.strand()
            #expect(try await harness.untilEnded("alice") == .connectionLost)
            await proxy.stop()
        }
    }
}
