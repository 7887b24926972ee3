import NIOCore
import RedisClient
import Testing

@Suite("The reconnecting client")
struct RedisClientTests {
    @Test("Many tasks share the client and each gets its own reply")
    func sharing() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withClient(server.configuration) { client in
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<500 {
                        group.addTask {
                            try await client.execute(RedisCommand("ECHO", .init(number))).int == number
                        }
                    }
                    for try await isOwn in group { #expect(isOwn) }
                }
                #expect(client.generation == 1)
            }
        }
    }

    @Test("An error reply is thrown with its prefix, and a pipeline returns it")
    func serverErrors() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withClient(server.configuration) { client in
                let error = await TestSupport.failure {
                    _ = try await client.execute(
                        RedisCommand("EVALSHA", "0123456789012345678901234567890123456789", "0"))
                }
                #expect(error?.code == .server && error?.prefix == "NOSCRIPT" && error?.context == "EVALSHA")
                #expect(error?.mayHaveRun == false)
                let replies = try await client.execute(RedisPipeline([RedisCommand("NOSUCH"), RedisCommand("PING")]))
                #expect(replies[0].asError != nil && replies[1] == .simple("PONG"))
            }
        }
    }

    @Test("After the server was killed and started again the client is connected anew, to another identity")
    func reconnect() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withClient(server.configuration) { client in
                try await client.untilConnected()
                let before = (client.generation, try #require(client.serverIdentity))
                server.kill()
                try await server.start()
                let reply = try await client.execute(RedisCommand("PING").retriable())
                #expect(reply == .simple("PONG"))
                #expect(client.generation > before.0)
                #expect(client.serverIdentity != before.1)
            }
        }
    }

    @Test("While the server is away a command waits for its deadline, was not sent, and says why")
    func away() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withClient(server.configuration) { client in
                try await client.untilConnected()
                server.kill()
                try await RedisServerFixture.poll("the client to notice") { client.lastFailure != nil }
                #expect(!client.isConnected)
                let error = await TestSupport.failure {
                    _ = try await client.execute(RedisCommand("INCR", "n"), deadline: .milliseconds(300))
                }
                #expect(error?.code == .notConnected && error?.mayHaveRun == false)
                #expect(error?.message.contains("127.0.0.1:\(server.port)") == true)
            }
        }
    }

    @Test("A command to a server that hangs ends at its deadline with an unknown outcome, and ran once afterwards")
    func hangingServer() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withClient(server.configuration) { client in
                try await client.untilConnected()
                server.freeze()
                let error = await TestSupport.failure {
                    _ = try await client.execute(RedisCommand("INCR", "n"), deadline: .milliseconds(300))
                }
                #expect(error?.code == .outcomeUnknown && error?.mayHaveRun == true)
                server.thaw()
                // One caller's short patience does not cost the others their connection.
                #expect(try await client.execute(RedisCommand("GET", "n")).int == 1)
                #expect(client.generation == 1)
            }
        }
    }

    @Test("After a connection died under it a retriable command is sent again and any other is not")
    func retries() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withClient(server.configuration) { client in
                try await client.untilConnected()
                for isRetriable in [true, false] {
                    server.freeze()
                    var command = RedisCommand("SET", "k", isRetriable ? "retried" : "once")
                    if isRetriable { command = command.retriable() }
                    async let outcome = TestSupport.failure { [command] in _ = try await client.execute(command) }
                    // Its bytes are in the socket of a server that will never read them.
                    try await Self.untilSent(to: server)
                    server.kill()
                    try await server.start()
                    let error = await outcome
                    if isRetriable {
                        #expect(error == nil)
                        #expect(try await client.execute(RedisCommand("GET", "k").retriable()).string == "retried")
                    } else {
                        #expect(error?.code == .outcomeUnknown)
                        #expect(try await client.execute(RedisCommand("GET", "k").retriable()) == .null)
                    }
                }
            }
        }
    }

    @Test("A retriable command outlives a server that hangs, since each connection gets the command time-out only")
    func retryPastHang() async throws {
        try await RedisServerFixture.with { server in
            var configuration = server.configuration
            configuration.commandTimeout = .milliseconds(300)
            try await TestSupport.withClient(configuration) { client in
                try await client.untilConnected(deadline: .seconds(60))
                server.freeze()
                async let reply = client.execute(RedisCommand("GET", "k").retriable(), deadline: .seconds(60))
                try await Self.untilReset(client)
                server.thaw()
                #expect(try await reply == .null)
                #expect(client.generation > 1)
            }
        }
    }

    @Test("Cancelling a task ends its wait at once, with and without a connection")
    func cancellation() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withClient(server.configuration) { client in
                try await client.untilConnected()
                server.freeze()
                let sent = Task { try await client.execute(RedisCommand("PING")) }
                try await Self.untilSent(to: server)
                sent.cancel()
                #expect(await TestSupport.failure { _ = try await sent.value }?.code == .cancelled)
                server.thaw()
            }
        }
        let idle = RedisClient(
            RedisConfiguration(host: "127.0.0.1"), eventLoop: TestSupport.eventLoop, logger: TestSupport.logger)
        let waiting = Task { try await idle.untilConnected() }
        waiting.cancel()
        #expect(await TestSupport.failure { try await waiting.value }?.code == .cancelled)
    }

    @Test("The commands that wait for a connection are bounded, and a client that never ran says so")
    func waitingIsBounded() async throws {
        var configuration = RedisConfiguration(host: "127.0.0.1")
        configuration.maximumWaitingCommands = 2
        let client = RedisClient(configuration, eventLoop: TestSupport.eventLoop, logger: TestSupport.logger)
        let errors = await withTaskGroup(of: RedisError?.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    await TestSupport.failure {
                        _ = try await client.execute(RedisCommand("PING"), deadline: .seconds(1))
                    }
                }
            }
            return await group.reduce(into: [RedisError]()) { errors, error in if let error { errors.append(error) } }
        }
        #expect(errors.filter { $0.code == .overloaded }.count == 1)
        #expect(errors.filter { $0.code == .notConnected && $0.message.contains("run() was not called") }.count == 2)
    }

    @Test("Ending the client closes its connection and fails what comes later")
    func end() async throws {
        try await RedisServerFixture.with { server in
            let client = try await TestSupport.withClient(server.configuration) { client in
                _ = try await client.execute(RedisCommand("PING"))
                return client
            }
            #expect(
                await TestSupport.failure { _ = try await client.execute(RedisCommand("PING")) }?.code == .notConnected)
            try await TestSupport.withConnection(server.configuration) { connection in
                // The server may look at its sockets in another order than they were closed and opened in.
                try await RedisServerFixture.poll("the client's connection to be gone") {
                    let list = try await connection.send(RedisPipeline([RedisCommand("CLIENT", "LIST")])).get()
                    return list[0].string?.split(separator: "\n").count == 1
                }
            }
        }
    }

    /// Waits until bytes lie unread in the socket of a frozen server.
    private static func untilSent(to server: RedisServerFixture) async throws {
        try await RedisServerFixture.poll("bytes at the server") { try server.hasUnreadBytes() }
    }

    private static func untilReset(_ client: RedisClient) async throws {
        try await RedisServerFixture.poll("the client to give its connection up") { !client.isConnected }
    }
}
