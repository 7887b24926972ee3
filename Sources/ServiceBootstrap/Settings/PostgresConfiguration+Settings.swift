package import PostgresClient

extension PostgresConfiguration {
    /// Reads the setting.
    ///
    /// ## Configuration keys
    /// - `postgres.url` (postgres:// URL, secret, optional, default postgres://earshot@127.0.0.1:5432/earshot).
    package init(settings: Settings) throws {
        try self.init(
            url: try settings.url(
                "postgres.url", schemes: ["postgres", "postgresql"],
                default: "postgres://earshot@127.0.0.1:5432/earshot"
            ).revealed)
    }
}
