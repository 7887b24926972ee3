import NIOCore
import RedisClient
import Testing

@Suite("Blocking reads")
struct RedisBlockingReaderTests {
    /// Blocks far longer than any test may take, so that only a wake-up ends it.
    private static let read = RedisCommand("XREAD", "BLOCK", "100000", "STREAMS", "s", "$")

    private static func reader(_ configuration: RedisConfiguration) -> RedisBlockingReader {
        RedisBlockingReader(configuration, eventLoop: TestSupport.eventLoop, logger: TestSupport.logger)
    }

    private static func expectPong(from reader: RedisBlockingReader) async throws {
        let reply = try await reader.execute(RedisCommand("PING"), timeout: .seconds(60))
        #expect(reply == .simple("PONG"))
    }

    /// Waits until the server has noticed that the reader of a wait given up is gone.
    private static func untilNobodyReads(_ client: RedisClient) async throws {
        try await RedisServerFixture.poll("the reader to hang up") {
            try await client.execute(RedisCommand("CLIENT", "LIST")).string?.contains("cmd=xread") == false
        }
    }

    @Test("A read that blocks returns what is appended, and null when it runs out; one connection serves both")
    func reading() async throws {
        try await RedisServerFixture.with { server in
            let reader = Self.reader(server.configuration)
            try await TestSupport.withClient(server.configuration) { client in
                async let reply = reader.execute(Self.read, timeout: .seconds(100))
                try await TestSupport.untilBlocked(in: "xread", client)
                _ = try await client.execute(RedisCommand("XADD", "s", "1-1", "e", "payload"))
                let entry = try await reply.array?.first?.array?.last?.array?.first?.array
                #expect(entry?.first?.string == "1-1")
                #expect(entry?.last?.array?.last?.string == "payload")
                let short = RedisCommand("XREAD", "BLOCK", "1", "STREAMS", "s", "$")
                #expect(try await reader.execute(short, timeout: .seconds(60)) == .null)
                let information = try await client.execute(RedisCommand("INFO", "stats")).string ?? ""
                // The client's and the reader's.
                #expect(information.contains("total_connections_received:2\r\n"))
                #expect(reader.serverIdentity == client.serverIdentity)
            }
            await reader.close()
        }
    }

    @Test("interrupt() wakes a blocked read at once, and the next read works")
    func interruption() async throws {
        try await RedisServerFixture.with { server in
            let reader = Self.reader(server.configuration)
            // So that the connection given up is one that an earlier read has opened.
            try await Self.expectPong(from: reader)
            try await TestSupport.withClient(server.configuration) { client in
                async let outcome = TestSupport.failure {
                    _ = try await reader.execute(Self.read, timeout: .seconds(100))
                }
                try await TestSupport.untilBlocked(in: "xread", client)
                reader.interrupt()
                #expect(await outcome?.code == .cancelled)
                try await Self.untilNobodyReads(client)
                try await Self.expectPong(from: reader)
            }
            await reader.close()
        }
    }

    @Test("Cancelling the task wakes a blocked read at once, and the next read works")
    func cancellation() async throws {
        try await RedisServerFixture.with { server in
            let reader = Self.reader(server.configuration)
            // So that the connection given up is one that an earlier read has opened.
            try await Self.expectPong(from: reader)
            try await TestSupport.withClient(server.configuration) { client in
                let task = Task { try await reader.execute(Self.read, timeout: .seconds(100)) }
                try await TestSupport.untilBlocked(in: "xread", client)
                task.cancel()
                #expect(await TestSupport.failure { _ = try await task.value }?.code == .cancelled)
                try await Self.untilNobodyReads(client)
                try await Self.expectPong(from: reader)
            }
            await reader.close()
        }
    }

    @Test("An interruption between two reads is not missed and counts for one read only")
    func earlyInterruption() async throws {
        try await RedisServerFixture.with { server in
            let reader = Self.reader(server.configuration)
            reader.interrupt()
            reader.interrupt()
            let error = await TestSupport.failure { _ = try await reader.execute(Self.read, timeout: .seconds(100)) }
            #expect(error?.code == .cancelled)
            try await Self.expectPong(from: reader)
            await reader.close()
        }
    }

    @Test("A server that hangs ends the read at its time-out; the reader connects again when it is back")
    func hangingServer() async throws {
        try await RedisServerFixture.with { server in
            let reader = Self.reader(server.configuration)
            try await Self.expectPong(from: reader)
            server.freeze()
            let error = await TestSupport.failure {
                _ = try await reader.execute(Self.read, timeout: .milliseconds(300))
            }
            #expect(error?.code == .outcomeUnknown)
            server.thaw()
            try await Self.expectPong(from: reader)
            await reader.close()
        }
    }

    @Test("A killed server ends the read; reading in a loop finds the restarted one")
    func restart() async throws {
        try await RedisServerFixture.with { server in
            let reader = Self.reader(server.configuration)
            try await TestSupport.withClient(server.configuration) { client in
                async let outcome = TestSupport.failure {
                    _ = try await reader.execute(Self.read, timeout: .seconds(100))
                }
                try await TestSupport.untilBlocked(in: "xread", client)
                server.kill()
                #expect(await outcome?.code == .outcomeUnknown)
            }
            let away = await TestSupport.failure {
                _ = try await reader.execute(RedisCommand("PING"), timeout: .seconds(60))
            }
            #expect(away?.code == .notConnected)
            try await server.start()
            try await Self.expectPong(from: reader)
            await reader.close()
        }
    }

    @Test("A second read beside a waiting one is refused, an error reply is thrown and keeps the connection")
    func misuse() async throws {
        try await RedisServerFixture.with { server in
            let reader = Self.reader(server.configuration)
            let error = await TestSupport.failure {
                _ = try await reader.execute(RedisCommand("XREAD", "STREAMS"), timeout: .seconds(60))
            }
            #expect(error?.code == .server && error?.context == "XREAD")
            try await TestSupport.withClient(server.configuration) { client in
                async let outcome = TestSupport.failure {
                    _ = try await reader.execute(Self.read, timeout: .seconds(100))
                }
                try await TestSupport.untilBlocked(in: "xread", client)
                let second = await TestSupport.failure {
                    _ = try await reader.execute(RedisCommand("PING"), timeout: .seconds(60))
                }
                #expect(second?.code == .overloaded)
                await reader.close()
                #expect(await outcome?.code == .cancelled)
            }
            let closed = await TestSupport.failure {
                _ = try await reader.execute(RedisCommand("PING"), timeout: .seconds(60))
            }
            #expect(closed?.code == .notConnected)
        }
    }
}
