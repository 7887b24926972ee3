package import PostgresClient
import Synchronization

/// The server all tests of this process share, and a database in it for each test.
package actor PostgresServerFixture {
    /// The one of this process.
    package static let shared = PostgresServerFixture()

    private var running: PostgresServer?
    private var databaseCount = 0

    /// Returns the shared server; the first caller starts it.
    package func server() throws -> PostgresServer {
        if let running { return running }
        let server = try PostgresServer()
        running = server
        return server
    }

    private func nextDatabase() -> String {
        databaseCount += 1
        return "test_\(databaseCount)"
    }

    /// Runs `body` with a fresh database and a client for it, patient unless `configure` says otherwise.
    package static func withDatabase<Result>(
        _ configure: (inout PostgresConfiguration) -> Void = { _ in },
        _ body: (TestDatabase) async throws -> Result
    ) async throws -> Result {
        let server = try await shared.server()
        let name = await shared.nextDatabase()
        let admin = PostgresClient(try patient(server.url()), logger: .silent)
        try await admin.execute("CREATE DATABASE \(unsafeSQL: name)")
        var configuration = try patient(server.url(database: name))
        configure(&configuration)
        let database = TestDatabase(
            name: name, server: server, configuration: configuration,
            client: PostgresClient(configuration, logger: .silent), admin: admin)
        do {
            let result = try await body(database)
            try await admin.execute("DROP DATABASE \(unsafeSQL: name) WITH (FORCE)")
            return result
        } catch {
            _ = try? await admin.execute("DROP DATABASE \(unsafeSQL: name) WITH (FORCE)")
            throw error
        }
    }

    /// Timeouts that only a machine that hangs exceeds.
    package static func patient(_ url: String) throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(url: url)
        configuration.connectTimeout = .seconds(60)
        configuration.acquisitionTimeout = .seconds(60)
        configuration.statementTimeout = .seconds(60)
        configuration.statementGrace = .seconds(30)
        configuration.cancellationGrace = .seconds(60)
        return configuration
    }
}
