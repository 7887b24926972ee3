package import AudioStreams
package import EarshotModel
package import Logging
package import NIOCore
import NIOPosix
package import RedisClient

/// A fleet of a test's own on a real Redis: its own key prefix, a hand-off that is connected, readers as wanted.
package struct RedisFleet: Sendable {
    package let configuration: RedisConfiguration
    package let keys: StreamKeys
    package let client: RedisClient
    package let handOff: RedisHandOff
    package let limits: Limits

    /// A logger that says nothing.
    package static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    /// A loop of the process' group.
    package static var eventLoop: any EventLoop { MultiThreadedEventLoopGroup.singleton.next() }

    /// Runs a body with a fleet.
    ///
    /// Without a configuration it is on the shared server.
    package static func with<Value: Sendable>(
        _ configuration: RedisConfiguration? = nil, prefix: String? = nil, limits: Limits = Limits(),
        _ body: (RedisFleet) async throws -> Value
    ) async throws -> Value {
        let configuration = try configuration ?? RedisServer.shared.get().configuration
        let client = RedisClient(configuration, eventLoop: eventLoop, logger: logger)
        RedisHandOff.prepare(client)
        let keys = StreamKeys(prefix: prefix ?? freshPrefix())
        let fleet = RedisFleet(
            configuration: configuration, keys: keys, client: client,
            handOff: RedisHandOff(client: client, keys: keys, limits: limits), limits: limits)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await client.run() }
            defer { tasks.cancelAll() }
            try await client.untilConnected(deadline: .seconds(60))
            return try await body(fleet)
        }
    }

    /// A key prefix nobody else uses.
    package static func freshPrefix() -> String { "test-\(FencingToken.drawNonce())" }

    /// A reader on a connection of its own.
    package func makeReader() -> RedisStreamReader {
        RedisStreamReader(
            reader: RedisBlockingReader(configuration, eventLoop: Self.eventLoop, logger: Self.logger), keys: keys)
    }
}
