import Logging

/// How far a transaction is kept apart from others.
package enum TransactionIsolation: String, Sendable, CaseIterable {
    /// Each statement sees what was committed before it.
    case readCommitted = "READ COMMITTED"
    /// All statements see what was committed before the first.
    case repeatableRead = "REPEATABLE READ"
    /// As if transactions ran one after the other; expect `.serializationFailure` and run again.
    case serializable = "SERIALIZABLE"
}

extension PostgresConnection {
    /// Runs `body` in a transaction: commits when it returns, rolls back when it throws or the task is cancelled.
    ///
    /// The commit itself is not interrupted by a cancellation. Transactions do not nest.
    ///
    /// - Throws: what `body` throws; `.commitOutcomeUnknown` when the connection broke during the commit; any other
    ///   error of the commit means that nothing was committed. `.transactionAborted` when `body` returned although a
    ///   statement had failed.
    package nonisolated func withTransaction<Result>(
        isolation: TransactionIsolation = .readCommitted, _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        guard await !isInTransaction else {
            throw PostgresError(.invalidArgument, "the connection is closed or a transaction is open on it already")
        }
        try await execute("BEGIN ISOLATION LEVEL \(unsafeSQL: isolation.rawValue)")
        let result: Result
        do {
            result = try await body(self)
            guard !Task.isCancelled else {
                throw PostgresError(.cancelled, "the task was cancelled before the commit")
            }
        } catch {
            await rollBack()
            throw error
        }
        try await commit()
        return result
    }

    private nonisolated func rollBack() async {
        do {
            _ = try await perform(.statement("ROLLBACK"), isInterruptible: false)
        } catch {
            // The server rolls back what belongs to a connection that is gone.
            logger.debug("A rollback failed", metadata: ["postgres.code": "\(error.code)"])
            await close()
        }
    }

    private nonisolated func commit() async throws(PostgresError) {
        let tag: String
        do {
            tag = try await perform(.statement("COMMIT"), isInterruptible: false).commandTag
        } catch {
            await close()
            throw Self.commitError(error)
        }
        // The server answers a commit of a failed transaction with a rollback and calls it a success.
        guard tag == "COMMIT" else {
            throw PostgresError(
                .transactionAborted, "the transaction was rolled back: one of its statements had failed")
        }
    }

    /// Tells a refused commit from one nobody knows the end of.
    static func commitError(_ error: PostgresError) -> PostgresError {
        switch error.code {
        case .connectionLost, .timedOut, .adminShutdown, .queryCancelled, .serverStartingUp, .commitOutcomeUnknown,
            .resultTooLarge:
            PostgresError(
                .commitOutcomeUnknown, "the transaction may or may not be committed: \(error.message)",
                sqlState: error.sqlState)
        default:
            error
        }
    }
}
