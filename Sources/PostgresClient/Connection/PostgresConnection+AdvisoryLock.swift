import Logging

extension PostgresConnection {
    /// Runs `body` while this connection holds the advisory lock `key`, which one session in the database can hold.
    ///
    /// The key is chosen by the caller; the same number means the same lock everywhere in the database. Throws
    /// `.lockNotAvailable` when another session held the lock for all of `limit`, else what `body` throws.
    package nonisolated func withAdvisoryLock<Result>(
        _ key: Int64, waitingAtMost limit: Duration = .seconds(60),
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        try await lock(key, waitingAtMost: limit)
        do {
            let result = try await body(self)
            await unlock(key)
            return result
        } catch {
            await unlock(key)
            throw error
        }
    }

    private nonisolated func lock(_ key: Int64, waitingAtMost limit: Duration) async throws(PostgresError) {
        do {
            try await execute("SELECT pg_advisory_lock(\(key))", timeout: limit)
        } catch {
            // With a SQLSTATE it is the server that stopped waiting, and it is alive.
            guard error.code == .timedOut, error.sqlState != nil else { throw error }
            throw PostgresError(
                .lockNotAvailable, "another session held the advisory lock \(key) for longer than \(limit)",
                sqlState: error.sqlState)
        }
    }

    private nonisolated func unlock(_ key: Int64) async {
        let statement: SQLStatement = "SELECT pg_advisory_unlock(\(key))"
        let answer = try? await perform(.statement(statement), isInterruptible: false).rows.first?[0]
        guard answer != "t" else { return }
        // The lock ends with its session at the latest.
        logger.info("An advisory lock ends with its connection", metadata: ["postgres.lock": "\(key)"])
        await close()
    }
}
