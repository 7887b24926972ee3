import NIOCore
import RedisClient
import Testing

@Suite("Subscriptions")
struct RedisSubscriptionTests {
    private typealias Event = RedisSubscription.Event

    /// Runs a subscription for the time of the body, which gets its events.
    private static func with(
        _ configuration: RedisConfiguration, channels: [String],
        _ body: (inout AsyncStream<Event>.Iterator) async throws -> Void
    ) async throws -> [Event] {
        let subscription = RedisSubscription(
            configuration, eventLoop: TestSupport.eventLoop, logger: TestSupport.logger, channels: channels)
        let (events, report) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(1_000))
        var iterator = events.makeAsyncIterator()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await subscription.run { report.yield($0) }
                report.finish()
            }
            defer { group.cancelAll() }
            try await body(&iterator)
        }
        var rest: [Event] = []
        while let event = await iterator.next(isolation: #isolation) { rest.append(event) }
        return rest
    }

    @Test("Messages of every channel arrive in order and byte for byte; cancelling reports the loss")
    func messages() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withClient(server.configuration) { client in
                let rest = try await Self.with(server.configuration, channels: ["a", "b", "a"]) { events in
                    #expect(await events.next(isolation: #isolation) == .subscribed)
                    let binary = ByteBuffer(bytes: [0, 13, 10, 255])
                    for number in 0..<100 {
                        let channel = number.isMultiple(of: 2) ? "a" : "b"
                        let receivers = try await client.execute(
                            RedisCommand("PUBLISH", .init(channel), .init("\(number)")))
                        #expect(receivers.int == 1)
                        #expect(
                            await events.next(isolation: #isolation)
                                == .message(channel: channel, payload: ByteBuffer(string: "\(number)")))
                    }
                    _ = try await client.execute(RedisCommand("PUBLISH", "b", .init(binary)))
                    #expect(await events.next(isolation: #isolation) == .message(channel: "b", payload: binary))
                }
                #expect(rest == [.lost])
            }
        }
    }

    @Test("A subscription survives the server's restart and says that it was away")
    func restart() async throws {
        try await RedisServerFixture.with { server in
            _ = try await Self.with(server.configuration, channels: ["a"]) { events in
                #expect(await events.next(isolation: #isolation) == .subscribed)
                server.kill()
                #expect(await events.next(isolation: #isolation) == .lost)
                try await server.start()
                #expect(await events.next(isolation: #isolation) == .subscribed)
                try await TestSupport.withClient(server.configuration) { client in
                    _ = try await client.execute(RedisCommand("PUBLISH", "a", "back"))
                }
                #expect(
                    await events.next(isolation: #isolation)
                        == .message(channel: "a", payload: ByteBuffer(string: "back")))
            }
        }
    }

    @Test("A server that hangs is noticed by the missing sign of life, a quiet one is kept")
    func liveness() async throws {
        try await RedisServerFixture.with { server in
            var configuration = server.configuration
            configuration.subscriptionPingInterval = .milliseconds(500)
            _ = try await Self.with(configuration, channels: ["a"]) { events in
                #expect(await events.next(isolation: #isolation) == .subscribed)
                try await TestSupport.withClient(server.configuration) { client in
                    try await Self.untilPinged(client)
                }
                server.freeze()
                #expect(await events.next(isolation: #isolation) == .lost)
                server.thaw()
                #expect(await events.next(isolation: #isolation) == .subscribed)
            }
        }
    }

    @Test("A subscription that the server's rules forbid is not reported as subscribed")
    func forbidden() async throws {
        let options = ["--user", "joe", "on", ">pw", "~*", "&allowed", "+@all"]
        try await RedisServerFixture.with(options: options) { server in
            var configuration = server.configuration
            configuration.username = "joe"
            configuration.password = "pw"
            let connection = try await RedisConnection.connect(
                configuration, on: TestSupport.eventLoop, logger: TestSupport.logger
            ).get()
            let error = await TestSupport.failure {
                try await connection.subscribe(to: ["forbidden"]) { _, _ in }.get()
            }
            #expect(error?.prefix == "NOPERM")
            try await connection.closeFuture.get()
        }
    }

    /// Waits until the server has answered several pings of its subscriber.
    private static func untilPinged(_ client: RedisClient) async throws {
        try await RedisServerFixture.poll("the subscriber's pings") {
            let statistics = try await client.execute(RedisCommand("INFO", "commandstats")).string ?? ""
            // One ping belongs to each of the two handshakes.
            guard let calls = statistics.firstMatch(of: /cmdstat_ping:calls=(\d+)/) else { return false }
            return (Int(calls.1) ?? 0) >= 5
        }
    }
}
