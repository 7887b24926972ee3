import Logging
import NIOCore
import NIOPosix
import RedisClient

/// What the integration tests share.
enum TestSupport {
    static var eventLoop: any EventLoop { MultiThreadedEventLoopGroup.singleton.next() }
    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs a client for the time of the body.
    static func withClient<R: Sendable>(
        _ configuration: RedisConfiguration, libraries: [RedisFunctionLibrary] = [],
        _ body: (RedisClient) async throws -> R
    ) async throws -> R {
        let client = RedisClient(configuration, eventLoop: eventLoop, logger: logger)
        for library in libraries { client.register(library) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await client.run() }
            defer { group.cancelAll() }
            return try await body(client)
        }
    }

    /// Opens a connection for the time of the body.
    static func withConnection<R>(
        _ configuration: RedisConfiguration, _ body: (RedisConnection) async throws -> R
    ) async throws -> R {
        let connection = try await RedisConnection.connect(configuration, on: eventLoop, logger: logger).get()
        let result: R
        do {
            result = try await body(connection)
        } catch {
            connection.close()
            try await connection.closeFuture.get()
            throw error
        }
        connection.close()
        try await connection.closeFuture.get()
        return result
    }

    /// Asks the server until it reports a client blocked in the given command.
    static func untilBlocked(in command: String, _ client: RedisClient) async throws {
        try await RedisServerFixture.poll("a client blocked in \(command)") {
            let list = try await client.execute(RedisCommand("CLIENT", "LIST")).string ?? ""
            return list.split(separator: "\n").contains { $0.contains("cmd=\(command)") && $0.contains("flags=b") }
        }
    }

    /// The error a piece of work throws, or nil.
    static func failure(of work: () async throws -> Void) async -> RedisError? {
        do {
            try await work()
            return nil
        } catch {
            return error as? RedisError
        }
    }
}

/// A small generator with a fixed seed, so that a failing random test fails again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        // SplitMix64.
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
