import Foundation
import Glibc
import Logging
import NIOPosix
import RedisClient
import ServiceBootstrap
import Subprocess

/// The private Redis of a data directory.
struct RedisServer: Sendable {
    let port: Int
    private let password: String
    private let paths: DataDirectoryPaths
    private let executable: String

    private var configurationFile: String { paths.redis + "/redis.conf" }
    private var log: String { paths.logs + "/redis.log" }

    /// Writes the server's configuration.
    ///
    /// - Parameters:
    ///   - paths: The data directory.
    ///   - port: The port of the last run, kept if it is free.
    /// - Returns: The server, ready to be started.
    /// - Throws: `CommandError` when redis-server is not installed or a file cannot be written.
    static func prepare(_ paths: DataDirectoryPaths, preferring port: Int?) throws -> RedisServer {
        guard let executable = ProgramSearch.path(of: "redis-server") else {
            throw CommandError("redis-server is not installed; run `earshot setup`")
        }
        let server = RedisServer(
            port: try FreePort.choose(preferring: port), password: try SecretFile.readOrCreate(paths.redisPassword),
            paths: paths, executable: executable)
        // The password stands in a file of ours, never on a command line that every user can read.
        try SecretFile.write(server.configuration, to: server.configurationFile)
        try LogFile.rotate(server.log)
        return server
    }

    /// How clients reach it; secret.
    var url: String { "redis://:\(password)@127.0.0.1:\(port)" }

    /// The process to run.
    var specification: ChildSpecification {
        ChildSpecification(
            role: "redis", node: "redis", executable: executable, arguments: [configurationFile],
            workingDirectory: paths.redis, output: .file(log), stopSignal: .terminate)
    }

    /// The end of its log, for an error message.
    var complaint: String { LogFile.tail(log) }

    private var configuration: String {
        """
        # Written by `earshot up` at every start.
        bind 127.0.0.1
        port \(port)
        requirepass \(password)
        dir "\(Self.escaped(paths.redis))"
        daemonize no
        # The append-only file is the only copy: it is what a restart finds. What is acknowledged is on disk; with
        # everysec a kill -9 of Redis alone on a busy disk was seen to lose 1 % of it. One fsync serves all that came
        # while the last one ran.
        appendonly yes
        appendfsync always
        save ""
        # The gateway refuses and holds back by this number, before Redis itself would have to.
        maxmemory \(Self.memoryBytes)
        maxmemory-policy noeviction
        """
    }

    /// What one attempt has, so that an absence is said at once.
    private static let attemptLimit: Duration = .milliseconds(500)

    /// A quarter of the machine: the append-only file's rewrite may need as much again for a moment.
    private static var memoryBytes: Int {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        return max(256 << 20, pages * sysconf(Int32(_SC_PAGESIZE)) / 4)
    }

    private static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
    }

    /// Waits until a Redis answers and has its data in memory.
    ///
    /// - Parameters:
    ///   - configuration: Where it is.
    ///   - limit: How long to wait; nil waits until it is there or the task is cancelled, and says so.
    ///   - logger: Gets what is said; failed attempts to reach a server that is only just starting are no news.
    /// - Throws: `CommandError` after `limit`, with the last reason; `CancellationError`.
    static func waitUntilReady(_ configuration: RedisConfiguration, limit: Duration?, logger: Logger) async throws {
        var configuration = configuration
        configuration.reconnectCap = .milliseconds(200)
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .error)
        let client = RedisClient(configuration, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet)
        let notice = PacedNotice()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await client.run() }
            defer { group.cancelAll() }
            let deadline = limit.map { ContinuousClock.now + $0 }
            while true {
                do {
                    // `PING` is refused while the append-only file is being read.
                    _ = try await client.execute(RedisCommand("PING").retriable(), deadline: attemptLimit)
                    return
                } catch {
                    try Task.checkCancellation()
                    if let deadline, ContinuousClock.now >= deadline {
                        throw CommandError("\(configuration.address) is not a Redis that can be used: \(error)")
                    }
                    if deadline == nil, notice.isDue() {
                        logger.warning(
                            "waiting for Redis", metadata: ["address": "\(configuration.address)", "error": "\(error)"])
                    }
                    try await ContinuousClock().sleep(for: .milliseconds(50))
                }
            }
        }
    }
}
