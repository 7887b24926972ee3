import ArgumentParser
import AudioStreams
import EarshotModel
import Logging
import NIOPosix
import RedisClient
import ServiceBootstrap

/// How a command finds Redis: `--redis-url`, the environment, or the data directory of an `earshot up`.
struct RedisOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The Redis to use instead of the data directory's; also EARSHOT_REDIS_URL. It may hold a password: "
                + "prefer the environment.", valueName: "url"))
    var redisURL: String?

    private static let connectLimit = Duration.seconds(10)

    /// Runs a body with a reader of the ledger; the directory is that of an `earshot up`.
    ///
    /// - Throws: `CommandError` when nobody says where Redis is, or it does not answer.
    func withLedger(in directory: String, _ body: (LedgerReader) async throws -> Void) async throws {
        let configuration = try configuration(directory)
        let prefix = Settings().string("key.prefix", default: "earshot")
        let logger = Logger(label: "earshot.cli") { _ in SwiftLogNoOpLogHandler() }
        let client = RedisClient(configuration, eventLoop: MultiThreadedEventLoopGroup.singleton.next(), logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await client.run() }
            defer { tasks.cancelAll() }
            do throws(RedisError) {
                try await client.untilConnected(deadline: Self.connectLimit)
            } catch {
                throw CommandError("\(configuration.address) is not a Redis that can be used: \(error)")
            }
            try await body(LedgerReader(client: client, keys: StreamKeys(prefix: prefix), limits: Limits()))
        }
    }

    private func configuration(_ directory: String) throws -> RedisConfiguration {
        if let redisURL { return try RedisConfiguration(url: redisURL) }
        if Settings().text("redis.url") != nil { return try RedisConfiguration(settings: Settings()) }
        let paths = DataDirectoryPaths(directory)
        guard let state = try FleetState.read(paths.state), let port = state.redisPort,
            let password = try SecretFile.read(paths.redisPassword)
        else {
            throw CommandError(
                "\(directory) has no Redis of an `earshot up`; name it with --data-dir, or name a Redis with "
                    + "--redis-url")
        }
        return try RedisConfiguration(url: "redis://:\(password)@127.0.0.1:\(port)")
    }
}
