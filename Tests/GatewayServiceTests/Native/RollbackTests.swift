import AudioStreams
import EarshotClient
import EarshotModel
import NIOCore
import RedisClient
import TestSupport
import Testing

/// A Redis that comes back without the last of what it had acknowledged (protocol.md C4, H10).
@Suite("Gateway: a Redis that lost something", .timeLimit(.minutes(2)))
struct RollbackTests {
    /// How it loses them.
    enum Loss: CaseIterable {
        /// A replica that lacks the last writes is promoted by hand.
        case promotedReplica
        /// It is killed, and starts on an older append-only file.
        case olderFile
    }

    /// A server behind a proxy, and what takes its place.
    private struct Servers: Sendable {
        let primary: RedisServer
        let replica: RedisServer?
        let proxy: FaultProxy

        init(_ loss: Loss) async throws {
            primary = try RedisServer.started(options: ["--repl-diskless-sync-delay", "0"])
            replica = loss == .promotedReplica ? try RedisServer.started() : nil
            proxy = try await FaultProxy.started(to: primary.port)
            if let replica {
                try await Self.tell(replica, RedisCommand("REPLICAOF", "127.0.0.1", .init(primary.port)))
            }
        }

        var configuration: RedisConfiguration {
            var configuration = primary.configuration
            configuration.port = proxy.port
            return configuration
        }

        /// What comes from here on is lost.
        func part() async throws {
            guard let replica else { return try primary.keepCopy() }
            try await eventually("the replica has everything") {
                // What a connection waits for is its own last write.
                try await Self.tell(primary, RedisCommand("SET", "probe", "1"), RedisCommand("WAIT", 1, 1_000)).int == 1
            }
            try await Self.tell(replica, RedisCommand("REPLICAOF", "NO", "ONE"))
        }

        func failOver() throws {
            primary.kill()
            guard let replica else {
                try primary.restoreCopy()
                return try primary.start()
            }
            try proxy.point(to: replica.port)
        }

        @discardableResult
        private static func tell(
            _ server: RedisServer, _ commands: RedisCommand...
        ) async throws -> RESPValue {
            // Without the hand-off's functions, which a replica would not take.
            let client = RedisClient(
                server.configuration, eventLoop: RedisFleet.eventLoop, logger: RedisFleet.logger)
            return try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await client.run() }
                defer { tasks.cancelAll() }
                try await client.untilConnected(deadline: .seconds(30))
                return try await client.execute(RedisPipeline(commands)).last ?? .null
            }
        }
    }

    private func frame(_ number: Int) -> [UInt8] { [UInt8](repeating: UInt8(number), count: 640) }

    private func send(_ numbers: Range<Int>, to connection: DeviceConnection) async throws {
        for number in numbers { try await connection.send(binary: frame(number)) }
    }

    @Test(
        "H10: what a rollback took back is told, its session ends, and the device sends it again",
        arguments: Loss.allCases)
    func rolledBack(loss: Loss) async throws {
        let servers = try await Servers(loss)
        try await GatewayHarness.with(redis: servers.configuration) { harness in
            let first = try await harness.nativeOnceTaken("ack=redis")
            let inbox = NativeInbox(first)
            let opened = try #require(NativeOpened(await inbox.next()))
            try await send(0..<20, to: first)
            try await harness.untilNoted(opened.session, last: 19, of: "alice")
            try await servers.part()
            try await send(20..<40, to: first)
            #expect(await inbox.skip(to: #""ack","next":40"#) != nil)
            try servers.failOver()
            let closing = await inbox.skip(to: #""closing""#)
            #expect(closing?.contains(#""reason":"ended""#) == true, "\(closing ?? "none")")
            let code = await inbox.closeCode()
            #expect(code == 1012)
            #expect(try await harness.untilEnded("alice") == .redisRollback)
            // The last 3 s are kept at this level (docs/protocol.md).
            let second = try await harness.nativeOnceTaken("ack=redis&resume=\(opened.session)&from=10")
            let resumed = try #require(NativeOpened(await NativeInbox(second).next()))
            #expect(resumed.isResumed && resumed.next == 20)
            try await send(20..<50, to: second)
            await second.close(code: 1000)
            #expect(try await harness.frames(of: "alice") == (0..<50).map(frame))
        }
        await servers.proxy.stop()
    }

    @Test("A session that the server never knew is ended, and its device begins another", arguments: Loss.allCases)
    func forgotten(loss: Loss) async throws {
        let servers = try await Servers(loss)
        try await GatewayHarness.with(redis: servers.configuration) { harness in
            try await servers.part()
            let native = try await harness.nativeOnceTaken("ack=redis")
            let listen = try await harness.onceTaken { try await harness.connect(user: "bob") }
            let inbox = NativeInbox(native)
            let opened = try #require(NativeOpened(await inbox.next()))
            try await send(0..<20, to: native)
            try await send(0..<20, to: listen)
            #expect(await inbox.skip(to: #""ack","next":20"#) != nil)
            try await eventually("bob's audio") { try await !harness.entries(of: "bob").isEmpty }
            try servers.failOver()
            #expect(await inbox.closeCode() == 1012)
            #expect(await listen.untilClosed().code == 1001)
            let second = try await harness.nativeOnceTaken("ack=redis&resume=\(opened.session)&from=0")
            let anew = try #require(NativeOpened(await NativeInbox(second).next()))
            #expect(!anew.isResumed && anew.next == 0)
            second.abort()
        }
        await servers.proxy.stop()
    }

    @Test("An end that the server lost comes again: no session lives on without its device", arguments: Loss.allCases)
    func endLost(loss: Loss) async throws {
        let servers = try await Servers(loss)
        try await GatewayHarness.with(redis: servers.configuration) { harness in
            let connection = try await harness.nativeOnceTaken("ack=redis")
            let opened = try #require(NativeOpened(await NativeInbox(connection).next()))
            try await send(0..<20, to: connection)
            try await harness.untilNoted(opened.session, last: 19, of: "alice")
            try await servers.part()
            await connection.close(code: 1000)
            #expect(try await harness.untilEnded("alice") == .clientClosed)
            try servers.failOver()
            let id = try #require(SessionID(opened.session))
            try await eventually("it is ended on the server that knew it as live") {
                let found = try? await harness.fleet.handOff.session(
                    id, group: .transcript, in: harness.partition(of: "alice"))
                return found?.endReason == .clientClosed
            }
            #expect(try await harness.frames(of: "alice") == (0..<20).map(frame))
        }
        await servers.proxy.stop()
    }

    @Test("A Redis that comes back with everything ends no session")
    func kept() async throws {
        let server = try RedisServer.started()
        try await GatewayHarness.with(redis: server.configuration) { harness in
            let connection = try await harness.nativeOnceTaken()
            let inbox = NativeInbox(connection)
            _ = await inbox.skip(to: "ready")
            try await send(0..<20, to: connection)
            #expect(await inbox.skip(to: #""ack","next":20"#) != nil)
            server.kill()
            try await send(20..<30, to: connection)
            try server.start()
            #expect(await inbox.skip(to: #""ack","next":30"#) != nil)
            await connection.close(code: 1000)
            #expect(try await harness.untilEnded("alice") == .clientClosed)
            #expect(try await harness.frames(of: "alice") == (0..<30).map(frame))
        }
    }
}
