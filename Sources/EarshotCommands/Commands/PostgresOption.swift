import ArgumentParser
import Logging
import PostgresClient
import ServiceBootstrap

/// How a command finds Postgres: `--postgres-url`, the environment, or the data directory of an `earshot up`.
struct PostgresOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The Postgres to use instead of the data directory's; also EARSHOT_POSTGRES_URL. It may hold a password: "
                + "prefer the environment.", valueName: "url"))
    var postgresURL: String?

    @OptionGroup var data: DataDirectoryOption

    private static let connectionsMaximum = 2

    /// A client that a command needs for a moment; it says nothing on its own.
    ///
    /// - Throws: `CommandError` when nobody says where Postgres is.
    func client() throws -> PostgresClient {
        var configuration = try PostgresConfiguration(url: url())
        // One command, one statement at a time; the second serves the advisory lock of migrations.
        configuration.maximumConnections = Self.connectionsMaximum
        configuration.applicationName = "earshot-cli"
        return PostgresClient(configuration, logger: Logger(label: "earshot.cli") { _ in SwiftLogNoOpLogHandler() })
    }

    private func url() throws -> String {
        if let postgresURL { return postgresURL }
        if let environment = Settings().text("postgres.url") { return environment }
        let paths = DataDirectoryPaths(data.path)
        guard let state = try FleetState.read(paths.state) else {
            throw CommandError(
                "\(data.path) is not the data directory of an `earshot up`; name it with --data-dir, or name a "
                    + "Postgres with --postgres-url")
        }
        if let external = try SecretFile.read(paths.externalPostgres) { return external }
        guard let port = state.postgresPort, let directory = state.postgresDirectory,
            let password = try SecretFile.read(PostgresServer.passwordFile(besides: directory))
        else {
            throw CommandError("no Postgres has been started in \(data.path) yet; run `earshot up` first")
        }
        return PostgresServer.url(port: port, password: password, database: PostgresServer.database)
    }
}
