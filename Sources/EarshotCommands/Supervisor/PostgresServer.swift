import Foundation
import Logging
import PostgresClient
import Subprocess
import SystemPackage

/// The private Postgres of a data directory.
struct PostgresServer: Sendable {
    /// The database of Earshot.
    static let database = "earshot"
    private static let owner = "earshot"
    private static let initOutputBytesMaximum = 64 << 10

    let port: Int
    /// Where the cluster lies.
    let directory: String
    private let password: String
    private let command: [String]
    private let log: String

    /// Makes the cluster if there is none.
    ///
    /// - Parameters:
    ///   - paths: The data directory.
    ///   - port: The port of the last run, kept if it is free.
    ///   - logger: Gets a line when the cluster lies elsewhere.
    /// - Returns: The server, ready to be started.
    /// - Throws: `CommandError` when Postgres is not installed or makes no cluster.
    static func prepare(
        _ paths: DataDirectoryPaths, preferring port: Int?, logger: Logger
    ) async throws -> PostgresServer {
        let place = try PostgresPlace.choose(for: paths)
        if place.directory != paths.postgres {
            logger.notice(
                "Postgres keeps its files elsewhere: its user cannot reach the data directory",
                metadata: ["postgres.directory": "\(place.directory)", "data.directory": "\(paths.root)"])
        }
        let version = try SecretFile.read(place.directory + "/PG_VERSION")
        let binaries = try ProgramSearch.postgres(version: version)
        let password = try SecretFile.readOrCreate(passwordFile(besides: place.directory))
        if version == nil {
            logger.notice("making a Postgres cluster", metadata: ["postgres.directory": "\(place.directory)"])
            try await makeCluster(place, binaries: binaries, password: password)
        }
        let log = paths.logs + "/postgres.log"
        try LogFile.rotate(log)
        let port = try FreePort.choose(preferring: port)
        let options = [
            "listen_addresses=127.0.0.1", "port=\(port)", "unix_socket_directories=", "fsync=on",
            "log_destination=stderr", "logging_collector=off",
        ]
        let command = try place.command(
            [binaries + "/postgres", "-D", place.directory] + options.flatMap { ["-c", $0] })
        return PostgresServer(
            port: port, directory: place.directory, password: password, command: command, log: log)
    }

    /// Where the password of a cluster is: beside it, so that the two are never separated.
    static func passwordFile(besides cluster: String) -> String { cluster + "-password" }

    /// How clients reach a private server; secret.
    static func url(port: Int, password: String, database: String) -> String {
        "postgres://\(owner):\(password)@127.0.0.1:\(port)/\(database)"
    }

    /// How clients reach it; secret.
    var url: String { Self.url(port: port, password: password, database: Self.database) }

    /// The process to run.
    var specification: ChildSpecification {
        ChildSpecification(
            role: "postgres", node: "postgres", executable: command[0], arguments: Array(command.dropFirst()),
            // Whatever is set for the supervisor's own connections is not meant for the server.
            environment: ["PGDATA": nil, "PGPORT": nil, "PGOPTIONS": nil],
            workingDirectory: directory, output: .file(log),
            // SIGINT: end sessions and stop. SIGTERM would wait for clients to leave.
            stopSignal: .interrupt)
    }

    /// The end of its log, for an error message.
    var complaint: String { LogFile.tail(log) }

    /// Waits until it answers, and makes the database.
    ///
    /// - Throws: `CommandError` after `limit`, with the last reason; `CancellationError`.
    func waitUntilReady(limit: Duration, logger: Logger) async throws {
        var configuration = try PostgresConfiguration(
            url: Self.url(port: port, password: password, database: "postgres"))
        configuration.maximumConnections = 1
        let client = PostgresClient(configuration, logger: logger)
        let deadline = ContinuousClock.now + limit
        while true {
            do {
                let rows = try await client.query(
                    "SELECT 1 AS one FROM pg_database WHERE datname = \(Self.database)")
                if rows.isEmpty { try await client.execute("CREATE DATABASE \(unsafeSQL: Self.database)") }
                return
            } catch {
                try Task.checkCancellation()
                guard ContinuousClock.now < deadline else {
                    throw CommandError("Postgres is not usable: \(error); the end of its log:\n\(complaint)")
                }
                // Refused connections and "starting up" both pass.
                try await ContinuousClock().sleep(for: .milliseconds(50))
            }
        }
    }

    /// Has `initdb` fill a directory beside the real one, and renames that: a cluster is there whole, or not at all.
    private static func makeCluster(_ place: PostgresPlace, binaries: String, password: String) async throws {
        let unfinished = place.directory + ".new"
        let passwordCopy = unfinished + "-password"
        try? FileManager.default.removeItem(atPath: unfinished)
        try FileManager.default.createDirectory(
            atPath: unfinished, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: passwordCopy) }
        try SecretFile.write(password, to: passwordCopy)
        try place.own(unfinished)
        try place.own(passwordCopy)
        var options = PlatformOptions()
        options.processGroupID = 0
        let command = try place.command([
            binaries + "/initdb", "-D", unfinished, "-A", "scram-sha-256", "-U", owner, "--pwfile", passwordCopy, "-E",
            "UTF8", "--locale=C.UTF-8",
        ])
        let result = try await Subprocess.run(
            .path(FilePath(command[0])), arguments: Arguments(Array(command.dropFirst())),
            workingDirectory: FilePath(unfinished), platformOptions: options, input: .none,
            output: .string(limit: initOutputBytesMaximum), error: .string(limit: initOutputBytesMaximum))
        guard result.terminationStatus.isSuccess else {
            throw CommandError(
                "initdb made no Postgres cluster in \(place.directory): "
                    + "\(result.standardError) \(result.standardOutput)")
        }
        do {
            try FileManager.default.moveItem(atPath: unfinished, toPath: place.directory)
        } catch {
            throw CommandError("\(place.directory) cannot be put in place: \(error.localizedDescription)")
        }
    }
}
