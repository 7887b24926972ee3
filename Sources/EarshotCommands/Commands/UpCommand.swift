import ArgumentParser
import EarshotModel
import Foundation
import Logging
import RedisClient
import ServiceBootstrap
import UnixSignals

/// `earshot up`: a whole fleet on this machine.
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Runs everything on this machine, with a private Redis and Postgres.",
        discussion: """
            Starts Redis, Postgres and one process for each instance of a role, starts again what dies, and stops all \
            of it in good order at SIGINT or SIGTERM; a second one kills what has not ended yet. The data directory \
            keeps everything for the next start. Variables called EARSHOT_… are passed on to the processes.

            With --json: one line on standard output once everything accepts work, {"ready":true,"listen":"ws://…",\
            "admin":"http://…","pids":{"gateway":[…],"transcript":[…],…,"redis":[…],"postgres":[…]}}; \
            logs are on standard error. GET ADMIN/pids answers the pids of the moment.
            """)

    @OptionGroup var data: DataDirectoryOption

    @Option(
        help: ArgumentHelp(
            """
            Where devices connect; port 0 takes a free one. Further gateways take the ports behind it, except \
            --admin's.
            """, valueName: "host:port"))
    var listen = "127.0.0.1:8080"

    @Option(help: ArgumentHelp("Where operators look; port 0 takes a free one.", valueName: "host:port"))
    var admin = "127.0.0.1:8081"

    @Flag(help: "Accepts the tokens dev:UID, which prove nothing: for a developer's machine only.")
    var devAuth = false

    @Option(
        help: ArgumentHelp(
            "How many processes of a role, such as transcript=2,gateway=1 (0 to \(WorkerCounts.countMaximum)).",
            valueName: "role=n,…"))
    var workers = ""

    @Flag(help: "Runs each role as a process of its own; accepted for clarity, it is the only way.")
    var separate = false

    @Flag(help: "Prints one line of JSON when everything is ready.")
    var json = false

    @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"))
    var logLevel: String?

    @Option(help: ArgumentHelp("A Redis to use instead of a private one; also EARSHOT_REDIS_URL.", valueName: "url"))
    var redisURL: String?

    @Option(
        help: ArgumentHelp("A Postgres to use instead of a private one; also EARSHOT_POSTGRES_URL.", valueName: "url"))
    var postgresURL: String?

    func validate() throws {
        do {
            _ = try endpoint(listen, "--listen")
            _ = try endpoint(admin, "--admin")
            _ = try counts
        } catch {
            throw ValidationError("\(error)")
        }
        guard let logLevel else { return }
        guard Logger.Level(rawValue: logLevel) != nil else {
            let allowed = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--log-level \(logLevel.debugDescription) is unknown; allowed: \(allowed)")
        }
    }

    func run() async throws {
        let flags = logLevel.map { ["log.level": $0] } ?? [:]
        let settings = Settings(overriding: flags)
        var process = try ProcessConfiguration(role: "supervisor", settings: settings)
        process.node = "supervisor"
        let options = try options(settings)
        let assembly = ServiceAssembly.start(process)
        defer { LogSetup.flush() }
        let stop = Gate()
        let hurry = Gate()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await Self.obeySignals(stop: stop, hurry: hurry) }
            defer { group.cancelAll() }
            let supervisor = try await Self.prepare(options, assembly, stop: stop)
            guard let supervisor else { return }
            try await supervisor.run(stop: stop, hurry: hurry) { status in
                await report(status, settings: settings)
            }
        }
    }

    /// Prepares the fleet; nil when a signal came first.
    private static func prepare(
        _ options: FleetOptions, _ assembly: ServiceAssembly, stop: Gate
    ) async throws -> FleetSupervisor? {
        try await withThrowingTaskGroup(of: FleetSupervisor?.self) { group in
            group.addTask {
                try await FleetSupervisor(options: options, logger: assembly.logger, metrics: assembly.metrics)
            }
            group.addTask {
                await stop.wait()
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    /// A second signal within this time is the same one: `timeout`, shells and terminals often send it twice.
    private static let signalEchoMaximum: Duration = .seconds(1)

    /// The first signal stops the fleet, a later one has no patience.
    private static func obeySignals(stop: Gate, hurry: Gate) async {
        var first: ContinuousClock.Instant?
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup) {
            if let first {
                if first.duration(to: .now) > signalEchoMaximum { hurry.open() }
            } else {
                first = .now
                stop.open()
            }
        }
    }

    private func report(_ status: FleetStatus, settings: Settings) async {
        if json {
            if let line = try? ConsoleJSON.line(status) { ConsoleOutput.line(line) }
            return
        }
        // A token is for the eyes of whoever sits there: never in a file, a pipe or a log.
        var token: String?
        if ConsoleOutput.isTerminal, let source = try? TokenSource(dataDirectory: data.path, settings: settings) {
            token = try? await source.mint(uid: "demo", lifetime: .seconds(24 * 3_600))
        }
        ConsoleOutput.line(ConsoleFleet.summary(status, dataDirectory: data.path, token: token))
    }

    private var counts: WorkerCounts {
        get throws { workers.isEmpty ? WorkerCounts() : try WorkerCounts(parsing: workers) }
    }

    private func endpoint(_ text: String, _ option: String) throws -> SocketEndpoint {
        guard let endpoint = SocketEndpoint(parsing: text) else {
            throw CommandError("\(option) \(text.debugDescription) is no address; allowed: \(SocketEndpoint.rule)")
        }
        return endpoint
    }

    private func options(_ settings: Settings) throws -> FleetOptions {
        let installed = InstalledFiles()
        let redisURL = redisURL ?? settings.text("redis.url")
        return FleetOptions(
            dataDirectory: data.path, listen: try endpoint(listen, "--listen"),
            admin: try endpoint(admin, "--admin"), isDevelopmentAuthOn: devAuth, workers: try counts,
            logLevel: logLevel.flatMap(Logger.Level.init(rawValue:)),
            redisURL: redisURL,
            redis: try redisURL.map { try RedisConfiguration(settings: Settings(overriding: ["redis.url": $0])) },
            postgresURL: postgresURL ?? settings.text("postgres.url"),
            executables: settings.text("executables.dir") ?? installed.executables,
            migrations: try installed.migrations(explicit: nil),
            speech: settings.text("speech.dir") ?? installed.speech,
            tokenSecret: try settings.secret("auth.hs256.secret")?.revealed)
    }
}
