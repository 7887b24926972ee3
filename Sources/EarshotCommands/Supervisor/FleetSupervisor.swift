import Foundation
import Logging
import PostgresClient
import RedisClient
import ServiceBootstrap
import SessionRecord
import Synchronization

/// Runs a whole fleet on one machine: a private Redis and Postgres, and one process for each instance of a role.
final class FleetSupervisor: Sendable {
    /// Ends of a child before it was ever ready after which the start is given up: what fails this often is not
    /// mended by one more try, and a person is waiting.
    private static let failedStartsMaximum = 5
    /// What a server has to answer for the first time; a Redis with a large append-only file reads it first.
    private static let serverStartLimit: Duration = .seconds(120)
    /// What a role has to drain: its own budget of 30 s, and its end behind that.
    private static let roleStopBudget: Duration = .seconds(36)
    /// What a server has to write out what it holds.
    private static let serverStopBudget: Duration = .seconds(30)

    private let options: FleetOptions
    private let logger: Logger
    private let metrics: PrometheusMetrics
    private let directory: DataDirectory
    private let children: FleetChildren
    private let servers: FleetChildren.Servers
    private let store: FleetStateStore
    private let changed: ChangeNotice
    /// Opened when all is ready, or a child will never be.
    private let settled = Gate()
    private let adminBound = Gate()
    private let adminPort = Mutex<Int?>(nil)
    private let failure = Mutex<(any Error)?>(nil)

    /// Takes the data directory, stops what an earlier run left there, and prepares everything; starts nothing.
    ///
    /// - Throws: `CommandError` that says what is wrong or missing; `CancellationError`.
    init(options: FleetOptions, logger: Logger, metrics: PrometheusMetrics) async throws {
        try Self.check(options)
        self.options = options
        self.logger = logger
        self.metrics = metrics
        directory = try DataDirectory(path: options.dataDirectory)
        let paths = directory.paths
        let earlier = try FleetState.read(paths.state) ?? FleetState()
        try await LeftoverProcesses(state: earlier, paths: paths, logger: logger).stop()
        let redis =
            options.redisURL == nil ? try RedisServer.prepare(paths, preferring: earlier.redisPort) : nil
        let postgres =
            options.postgresURL == nil
            ? try await PostgresServer.prepare(paths, preferring: earlier.postgresPort, logger: logger) : nil
        servers = FleetChildren.Servers(
            redis: redis, postgres: postgres, redisURL: redis?.url ?? options.redisURL ?? "",
            postgresURL: postgres?.url ?? options.postgresURL ?? "")
        try Self.remember(externalPostgres: options.postgresURL, paths: paths)
        var state = FleetState()
        state.supervisor = .own
        state.redisPort = redis?.port ?? earlier.redisPort
        state.postgresPort = postgres?.port ?? earlier.postgresPort
        state.postgresDirectory = postgres?.directory ?? earlier.postgresDirectory
        try state.write(paths.state)
        store = FleetStateStore(path: paths.state, initial: state, logger: logger)
        let secrets = RoleEnvironment.Secrets(
            token: try options.tokenSecret ?? SecretFile.readOrCreate(paths.tokenSecret),
            encryption: try SecretFile.readOrCreate(paths.encryptionSecret))
        let changed = ChangeNotice()
        self.changed = changed
        children = FleetChildren(
            options: options, servers: servers, secrets: secrets, paths: paths, logger: logger,
            onChange: { changed.call() })
    }

    /// What is running now.
    var status: FleetStatus {
        let gateways = children.roles.filter { $0.role == "gateway" }
        return FleetStatus(
            ready: children.all.allSatisfy(\.status.isReady), listen: gateways.lazy.compactMap(\.status.listen).first,
            admin: "http://\(adminAddress)", pids: children.pids)
    }

    /// Starts everything, keeps it alive, and stops it in good order.
    ///
    /// - Parameters:
    ///   - stop: Opened from outside to end it; opened by this when the start fails.
    ///   - hurry: Opened from outside when the drain takes too long for somebody: what is left is killed.
    ///   - onReady: Called once, when all children are ready.
    /// - Throws: What kept the fleet from starting; by then everything is stopped again.
    func run(stop: Gate, hurry: Gate, onReady: @escaping @Sendable (FleetStatus) async -> Void) async throws {
        changed.handler.withLock { $0 = { [weak self] in self?.childrenChanged() } }
        await withTaskGroup(of: Void.self) { group in
            for child in children.all { group.addTask { await child.run() } }
            group.addTask { await self.serveAdmin(stop: stop) }
            group.addTask { await self.start(stop: stop, onReady: onReady) }
            await stop.wait()
            logger.notice("stopping")
            await self.stopAll(hurry: hurry)
            group.cancelAll()
        }
        store.update { state in
            state.supervisor = nil
            state.children = []
        }
        if let error = failure.withLock(\.self) { throw error }
        logger.notice("all processes have ended")
    }

    // MARK: Start

    private func start(stop: Gate, onReady: @escaping @Sendable (FleetStatus) async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await self.start()
                    // They all were; one that dies this moment is started again.
                    var status = self.status
                    status.ready = true
                    await onReady(status)
                } catch is CancellationError {
                    // Asked to stop before everything had started: that is no failure.
                } catch {
                    self.fail(error, stop: stop)
                }
            }
            group.addTask { await stop.wait() }
            await group.next()
            group.cancelAll()
        }
    }

    private func start() async throws {
        try await startRedis()
        try await startPostgres()
        try await migrate()
        logger.info("starting the roles", metadata: ["fleet.workers": "\(options.workers)"])
        for child in children.roles { child.start() }
        await adminBound.wait()
        childrenChanged()
        await settled.wait()
        try Task.checkCancellation()
        if let child = children.roles.first(where: { $0.status.failedStarts >= Self.failedStartsMaximum }) {
            let ending = child.status.lastEnding.map { ", the last time with \($0)" } ?? ""
            throw CommandError(
                "\(child.node) ended \(child.status.failedStarts) times before it was ready\(ending); "
                    + "its own messages above say why")
        }
        store.update { state in
            state.listen = self.status.listen
            state.admin = self.status.admin
        }
    }

    private func startRedis() async throws {
        children.redis?.start()
        // A Redis from outside may come back whenever whoever runs it likes: that is waited for.
        if let redis = options.redis {
            return try await RedisServer.waitUntilReady(redis, limit: nil, logger: logger)
        }
        do {
            try await RedisServer.waitUntilReady(
                RedisConfiguration(url: servers.redisURL), limit: Self.serverStartLimit, logger: logger)
        } catch let error as CommandError {
            let complaint = servers.redis.map { "; the end of its log:\n\($0.complaint)" } ?? ""
            throw CommandError("\(error)\(complaint)")
        }
    }

    private func startPostgres() async throws {
        guard let server = servers.postgres else { return }
        children.postgres?.start()
        try await server.waitUntilReady(limit: Self.serverStartLimit, logger: quietLogger)
    }

    private func migrate() async throws {
        var configuration = try PostgresConfiguration(url: servers.postgresURL)
        configuration.maximumConnections = 2
        let client = PostgresClient(configuration, logger: quietLogger)
        let applied = try await MigrationRunner(
            client: client, directory: options.migrations, logger: quietLogger
        ).run()
        if !applied.isEmpty {
            logger.notice("migrations applied", metadata: ["migrations": "\(applied.joined(separator: ", "))"])
        }
    }

    /// Failed attempts to reach a server that is only just starting are no news.
    private var quietLogger: Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .error)
        return quiet
    }

    // MARK: While it runs

    private func serveAdmin(stop: Gate) async {
        let admin = FleetAdmin(
            address: options.admin, metrics: metrics, logger: logger, children: { self.children.all },
            status: { self.status }, isShuttingDown: { stop.isOpen },
            onBound: { port in
                self.adminPort.withLock { $0 = port }
                self.adminBound.open()
            })
        do {
            try await admin.run()
        } catch {
            fail(error, stop: stop)
        }
    }

    private var adminAddress: SocketEndpoint {
        SocketEndpoint(host: options.admin.host, port: adminPort.withLock(\.self) ?? options.admin.port)
    }

    /// Writes down what runs, and looks whether the start is over.
    private func childrenChanged() {
        store.update { state in
            state.children = children.all.compactMap { child in
                child.status.process.map { FleetState.Child(role: child.role, node: child.node, process: $0) }
            }
        }
        let roles = children.roles.map(\.status)
        let isOver =
            roles.allSatisfy(\.isReady) || roles.contains { $0.failedStarts >= Self.failedStartsMaximum }
        if isOver { settled.open() }
    }

    private func fail(_ error: any Error, stop: Gate) {
        failure.withLock { if $0 == nil { $0 = error } }
        stop.open()
    }

    // MARK: Stop

    /// Gateways first, so that nothing new comes; then all workers; Redis last, because everything else commits to it.
    private func stopAll(hurry: Gate) async {
        for roles in Self.stages {
            await stop(children.roles.filter { roles.contains($0.role) }, within: Self.roleStopBudget, hurry: hurry)
        }
        await stop([children.postgres].compactMap(\.self), within: Self.serverStopBudget, hurry: hurry)
        await stop([children.redis].compactMap(\.self), within: Self.serverStopBudget, hurry: hurry)
    }

    /// Who stops together, in order; the coordinator records what the workers still say.
    private static let stages: [Set<String>] = [
        ["gateway"], Set(WorkerCounts.roles).subtracting(["gateway", "coordinator"]), ["coordinator"],
    ]

    private func stop(_ stage: [SupervisedChild], within budget: Duration, hurry: Gate) async {
        await withTaskGroup(of: Void.self) { group in
            for child in stage { group.addTask { await child.stop(within: budget, hurry: hurry) } }
        }
    }

    // MARK: Checks

    private static func check(_ options: FleetOptions) throws {
        for role in WorkerCounts.roles where options.workers[role] > 0 {
            let program = "\(options.executables)/earshot-\(role)"
            guard FileManager.default.isExecutableFile(atPath: program) else {
                throw CommandError("\(program) is missing; build it with `swift build`")
            }
        }
        let last = options.gatewayPort(max(0, options.workers["gateway"] - 1))
        guard options.listen.port == 0 || last <= 65_535 else {
            throw CommandError(
                "--listen \(options.listen) leaves no ports for \(options.workers["gateway"]) gateways: each takes the "
                    + "one behind the other's")
        }
    }

    /// Other commands look into the data directory for the database.
    private static func remember(externalPostgres url: String?, paths: DataDirectoryPaths) throws {
        if let url {
            try SecretFile.write(url, to: paths.externalPostgres)
        } else {
            try? FileManager.default.removeItem(atPath: paths.externalPostgres)
        }
    }
}

/// Lets children be made before there is somebody to tell about their changes.
private final class ChangeNotice: Sendable {
    let handler = Mutex<@Sendable () -> Void>({})

    func call() {
        let handler = handler.withLock(\.self)
        handler()
    }
}
