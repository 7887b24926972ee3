package import PostgresClient

/// A database of one test.
package struct TestDatabase: Sendable {
    /// Its name.
    package let name: String
    /// Where it is.
    package let server: PostgresServer
    /// How to reach it.
    package let configuration: PostgresConfiguration
    /// The client under test.
    package let client: PostgresClient
    /// Connected to another database of the same server as its superuser.
    package let admin: PostgresClient

    /// Another client with other settings.
    package func client(_ configure: (inout PostgresConfiguration) -> Void) -> PostgresClient {
        var copy = configuration
        configure(&copy)
        return PostgresClient(copy, logger: .silent)
    }
}
