package import Logging
package import PostgresClient

/// Applies the migrations of a directory, each in a transaction of its own, under an advisory lock.
///
/// What was applied is remembered with its checksum; changed history is an error, not a warning.
package struct MigrationRunner: Sendable {
    private let client: PostgresClient
    private let directory: String
    private let logger: Logger
    /// Any number that is the same in every process: the bytes of "earshot".
    private static let lock: Int64 = 0x0065_6172_7368_6f74

    /// A runner for a database and a directory.
    package init(client: PostgresClient, directory: String, logger: Logger) {
        self.client = client
        self.directory = directory
        self.logger = logger
    }

    /// Applies what is missing.
    ///
    /// - Returns: the names applied now, in order.
    /// - Throws: `MigrationError`, or `PostgresError` when the database is away.
    package func run() async throws -> [String] {
        let files = try MigrationFile.all(in: directory)
        return try await client.withAdvisoryLock(Self.lock) { connection in
            try await connection.executeScript(
                """
                CREATE TABLE IF NOT EXISTS schema_migrations (
                    number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
                    applied_at timestamptz NOT NULL DEFAULT now())
                """)
            let rows = try await connection.query(
                "SELECT number, name, checksum FROM schema_migrations ORDER BY number")
            var applied: [Int: (name: String, checksum: String)] = [:]
            for row in rows {
                applied[try row.decode("number")] = (try row.decode("name"), try row.decode("checksum"))
            }
            try check(applied, against: files)
            var names: [String] = []
            for file in files where applied[file.number] == nil {
                try await apply(file, on: connection)
                names.append(file.name)
            }
            return names
        }
    }

    private func check(
        _ applied: [Int: (name: String, checksum: String)], against files: [MigrationFile]
    ) throws(MigrationError) {
        for (number, migration) in applied {
            guard let file = files.first(where: { $0.number == number }) else {
                throw MigrationError(
                    .historyChanged,
                    "the database has migration \(migration.name), which \(directory) does not; use a newer build")
            }
            guard file.checksum == migration.checksum else {
                throw MigrationError(
                    .historyChanged, "migration \(file.name) was changed after it was applied; add a new one instead")
            }
        }
    }

    private func apply(_ file: MigrationFile, on connection: PostgresConnection) async throws {
        do {
            try await connection.withTransaction { connection in
                try await connection.executeScript(file.sql)
                _ = try await connection.execute(
                    """
                    INSERT INTO schema_migrations (number, name, checksum)
                    VALUES (\(file.number), \(file.name), \(file.checksum))
                    """)
            }
        } catch let error as PostgresError {
            throw MigrationError(.failed, "migration \(file.name) failed: \(error)")
        }
        logger.notice("migration applied", metadata: ["migration": "\(file.name)"])
    }
}
