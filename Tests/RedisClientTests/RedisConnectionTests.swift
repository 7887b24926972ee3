import NIOCore
import NIOPosix
import RedisClient
import Synchronization
import Testing

@Suite("A connection to a real server")
struct RedisConnectionTests {
    private static func pipeline(_ commands: RedisCommand...) -> RedisPipeline { RedisPipeline(commands) }

    @Test("A thousand pipelined commands are answered in order, in one pipeline and in a thousand")
    func order() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withConnection(server.configuration) { connection in
                let commands = (1...1_000).map { RedisCommand("ECHO", "\($0)") }
                let together = try await connection.send(RedisPipeline(commands)).get()
                #expect(together.map(\.int) == Array(1...1_000))
                let futures = commands.map { connection.send(RedisPipeline([$0])) }
                let apart = try await EventLoopFuture.whenAllSucceed(futures, on: connection.eventLoop).get()
                #expect(apart.map { $0.first?.int } == Array(1...1_000))
            }
        }
    }

    @Test("A value of a megabyte comes back byte for byte")
    func largeValue() async throws {
        var generator = SeededGenerator(seed: 3)
        let words = (0..<131_072).map { _ in generator.next() }
        var value = ByteBuffer()
        for word in words { value.writeInteger(word) }
        try await RedisServerFixture.with { server in
            try await TestSupport.withConnection(server.configuration) { connection in
                let replies = try await connection.send(
                    Self.pipeline(RedisCommand("SET", "k", .init(value)), RedisCommand("GET", "k"))
                ).get()
                #expect(replies == [.simple("OK"), .bulk(value)])
            }
        }
    }

    @Test("Error replies are values among the others and harm neither the pipeline nor the connection")
    func errorReplies() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withConnection(server.configuration) { connection in
                let replies = try await connection.send(
                    Self.pipeline(
                        RedisCommand("SET", "k", "v"), RedisCommand("INCR", "k"), RedisCommand("NOSUCH"),
                        RedisCommand("GET", "k"))
                ).get()
                #expect(replies[1].asError?.message.hasPrefix("ERR value is not an integer") == true)
                #expect(replies[2].asError?.prefix == "ERR")
                #expect(replies[3].string == "v")
                #expect(try await connection.send(RedisPipeline()).get().isEmpty)
            }
        }
    }

    @Test("A wrong, a missing and a right password; the error names the step and hides the password")
    func authentication() async throws {
        let options = ["--requirepass", "correct-horse", "--user", "joe", "on", ">battery-staple", "~*", "&*", "+@all"]
        try await RedisServerFixture.with(options: options) { server in
            var configuration = server.configuration
            func failure() async -> RedisError? {
                await TestSupport.failure { try await TestSupport.withConnection(configuration) { _ in } }
            }
            configuration.password = "hunter2"
            let wrong = try #require(await failure())
            #expect(wrong.code == .server && wrong.prefix == "WRONGPASS")
            #expect(wrong.context == "AUTH as the default user at 127.0.0.1:\(server.port)")
            #expect(!"\(wrong)".contains("hunter2"))
            configuration.password = nil
            #expect(await failure()?.prefix == "NOAUTH")
            configuration.password = "correct-horse"
            #expect(await failure() == nil)
            configuration.username = "joe"
            #expect(await failure()?.prefix == "WRONGPASS")
            configuration.password = "battery-staple"
            configuration.database = 3
            try await TestSupport.withConnection(configuration) { connection in
                let replies = try await connection.send(
                    Self.pipeline(RedisCommand("ACL", "WHOAMI"), RedisCommand("CLIENT", "INFO"))
                ).get()
                #expect(replies[0].string == "joe")
                #expect(replies[1].string?.contains("name=earshot ") == true)
                #expect(replies[1].string?.contains(" db=3 ") == true)
            }
        }
    }

    @Test("The identity is the server's own and changes when the server starts again")
    func identity() async throws {
        try await RedisServerFixture.with { server in
            let first = try await TestSupport.withConnection(server.configuration) { connection in
                let information = try await connection.send(Self.pipeline(RedisCommand("INFO", "server"))).get()
                #expect(information[0].string?.contains("run_id:\(connection.serverRunID)\r\n") == true)
                #expect(connection.replicationID.count == 40)
                return connection.serverIdentity
            }
            let second = try await TestSupport.withConnection(server.configuration) { $0.serverIdentity }
            #expect(first == second)
            server.kill()
            try await server.start()
            let third = try await TestSupport.withConnection(server.configuration) { $0.serverIdentity }
            #expect(first != third)
        }
    }

    @Test("Nobody listening is an error that names the address")
    func refused() async throws {
        let port = try await RedisServerFixture.with { $0.port }
        let error = await TestSupport.failure {
            try await TestSupport.withConnection(RedisConfiguration(host: "127.0.0.1", port: port)) { _ in }
        }
        #expect(error?.code == .notConnected)
        #expect(error?.message.contains("127.0.0.1:\(port)") == true)
    }

    @Test("A server that does not speak Redis is a protocol violation, one that hangs up is not connected")
    func strangers() async throws {
        func failure(_ answer: String) async throws -> RedisError? {
            let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(AnswerOnceHandler(answer))
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            var configuration = RedisConfiguration(host: "127.0.0.1", port: listener.localAddress?.port ?? 0)
            configuration.connectTimeout = .seconds(20)
            let error = await TestSupport.failure { try await TestSupport.withConnection(configuration) { _ in } }
            try await listener.close()
            return error
        }
        #expect(try await failure("HTTP/1.1 400 Bad Request\r\n\r\n")?.code == .protocolViolation)
        let refusal = try await failure("-ERR max number of clients reached\r\n")
        #expect(refusal?.code == .notConnected)
        #expect(refusal?.message.contains("max number of clients reached") == true)
        #expect(try await failure("+OK\r\n+OK\r\n+OK\r\n+PONG\r\n")?.code == .protocolViolation)
    }

    @Test("A server that stops answering costs its pipelines their outcome at the deadline and the connection its life")
    func deadline() async throws {
        try await RedisServerFixture.with { server in
            var configuration = server.configuration
            configuration.commandTimeout = .milliseconds(300)
            try await TestSupport.withConnection(configuration) { connection in
                server.freeze()
                let pending = (0..<3).map { _ in connection.send(Self.pipeline(RedisCommand("PING"))) }
                for future in pending {
                    let error = await TestSupport.failure { _ = try await future.get() }
                    #expect(error?.code == .outcomeUnknown)
                }
                try await connection.closeFuture.get()
                let later = await TestSupport.failure {
                    _ = try await connection.send(Self.pipeline(RedisCommand("PING"))).get()
                }
                #expect(later?.code == .notConnected)
            }
            server.thaw()
        }
    }

    @Test("More pipelines than the bound are refused, and the others are answered")
    func overload() async throws {
        try await RedisServerFixture.with { server in
            var configuration = server.configuration
            configuration.maximumPendingPipelines = 3
            try await TestSupport.withConnection(configuration) { connection in
                server.freeze()
                let futures = (0..<4).map { _ in connection.send(Self.pipeline(RedisCommand("PING"))) }
                let refused = await TestSupport.failure { _ = try await futures[3].get() }
                #expect(refused?.code == .overloaded)
                server.thaw()
                for future in futures.prefix(3) {
                    let replies = try await future.get()
                    #expect(replies == [.simple("PONG")])
                }
            }
        }
    }

    @Test("A server that does not read makes the connection unwritable, and reading makes it writable again")
    func writability() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withConnection(server.configuration) { connection in
                let (changes, report) = AsyncStream.makeStream(of: Bool.self, bufferingPolicy: .bufferingNewest(64))
                connection.onWritabilityChange { report.yield($0) }
                server.freeze()
                let value = RedisArgument(ByteBuffer(repeating: 7, count: 1 << 20))
                // More than any socket buffer on the way holds.
                let futures = (0..<32).map { _ in connection.send(Self.pipeline(RedisCommand("SET", "k", value))) }
                var iterator = changes.makeAsyncIterator()
                #expect(await iterator.next(isolation: #isolation) == false)
                #expect(try await connection.eventLoop.submit { connection.isWritable }.get() == false)
                server.thaw()
                for future in futures { _ = try await future.get() }
                #expect(await iterator.next(isolation: #isolation) == true)
                #expect(try await connection.eventLoop.submit { connection.isWritable }.get())
            }
        }
    }

    @Test("Closing fails what is pending and ends the channel")
    func close() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withConnection(server.configuration) { connection in
                let blocked = connection.send(Self.pipeline(RedisCommand("BLPOP", "nothing", "0")), timeout: nil)
                connection.close()
                #expect(await TestSupport.failure { _ = try await blocked.get() }?.code == .outcomeUnknown)
                try await connection.closeFuture.get()
            }
        }
    }
}

/// Plays a server that gives one answer to whatever it reads first, and hangs up.
private final class AnswerOnceHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: String
    private var hasAnswered = false

    init(_ answer: String) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasAnswered else { return }
        hasAnswered = true
        let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)))
            .whenComplete { _ in loopBound.value.close(promise: nil) }
    }
}
