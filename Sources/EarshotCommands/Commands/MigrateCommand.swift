import ArgumentParser
import Logging
import PostgresClient
import ServiceBootstrap
import SessionRecord

/// `earshot migrate`: brings the database to this version's form.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Applies the database migrations that are missing.",
        discussion: """
            `earshot up` does this on its own. Several may run at once: one does the work, the others wait for it. \
            A migration that was changed after it had been applied is an error.
            """)

    @Option(help: ArgumentHelp("Where the migrations are (default: found beside the program).", valueName: "dir"))
    var migrationsPath: String?

    @OptionGroup var postgres: PostgresOption

    func run() async throws {
        let directory = try InstalledFiles().migrations(explicit: migrationsPath)
        let client = try postgres.client()
        let applied = try await Self.apply(client: client, directory: directory)
        for name in applied { ConsoleOutput.line("applied \(name)") }
        if applied.isEmpty { ConsoleOutput.line("nothing to do: the database has all migrations of \(directory)") }
    }

    private static func apply(client: PostgresClient, directory: String) async throws -> [String] {
        let silent = Logger(label: "earshot.migrate") { _ in SwiftLogNoOpLogHandler() }
        return try await MigrationRunner(client: client, directory: directory, logger: silent).run()
    }
}
