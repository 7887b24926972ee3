extension PostgresError {
    /// The category of a ``PostgresError``.
    package enum Code: Sendable, Hashable {
        // This side.

        /// The URL or another setting is not usable.
        case invalidConfiguration
        /// A statement cannot be sent: a NUL character in a text, too many values, a transaction inside another.
        case invalidArgument
        /// A column is missing or its value is not what was asked for.
        case decodingFailed
        /// An answer is larger than `maximumResultBytes`.
        case resultTooLarge
        /// No connection could be opened.
        case connectionFailed
        /// The connection broke, or was closed before; whether the statement took effect is unknown.
        case connectionLost
        /// A deadline passed: on the server (SQLSTATE 57014 after the statement timeout) or on this side.
        case timedOut
        /// The calling task was cancelled.
        case cancelled
        /// All connections stayed in use for the acquisition timeout, or too many callers wait already.
        case poolExhausted
        /// The client was shut down.
        case clientClosed
        /// The connection broke while a commit was under way: the transaction may or may not have been committed.
        case commitOutcomeUnknown

        // The server's side: see `SQLState` for the table.

        /// Wrong user, password or host entry (class 28).
        case authenticationFailed
        /// The database does not exist.
        case undefinedDatabase
        /// The server accepts no connections yet or any more (57P03).
        case serverStartingUp
        /// An administrator ended the connection or the server (57P01, 57P02, 57P04, 57P05).
        case adminShutdown
        /// All of the server's connections are in use.
        case tooManyConnections
        /// The server is out of memory, disk space or another resource (class 53).
        case insufficientResources
        /// A value cannot be stored or converted (class 22).
        case invalidData
        /// A unique or primary key holds the value already.
        case uniqueViolation
        /// A referenced row is missing, or a row is still referenced.
        case foreignKeyViolation
        /// A column that must have a value got none.
        case notNullViolation
        /// A check constraint rejected the row.
        case checkViolation
        /// An exclusion constraint rejected the row.
        case exclusionViolation
        /// Another constraint rejected the row (class 23).
        case integrityViolation
        /// The transaction failed earlier and can only be rolled back.
        case transactionAborted
        /// The server or the transaction is read-only; after a fail-over the connection leads to a standby.
        case readOnlyTransaction
        /// Another statement about transactions is wrong (class 25).
        case invalidTransactionState
        /// The transaction cannot be serialised with others: run it again.
        case serializationFailure
        /// The transaction was chosen to end a deadlock: run it again.
        case deadlock
        /// A lock was not available within `lock_timeout` or under `NOWAIT`.
        case lockNotAvailable
        /// The statement was cancelled by somebody else.
        case queryCancelled
        /// The text of the statement is wrong.
        case syntaxError
        /// A table or view does not exist.
        case undefinedTable
        /// A column does not exist.
        case undefinedColumn
        /// A function or operator for these types does not exist.
        case undefinedFunction
        /// A schema does not exist.
        case undefinedSchema
        /// A table, column, database, schema or function of that name exists already.
        case duplicateObject
        /// The role may not do this.
        case insufficientPrivilege
        /// The server does not have this feature (class 0A).
        case featureNotSupported
        /// Any other error of the server, with its SQLSTATE.
        case serverError(String)

        /// See ``PostgresError/isRetriable``.
        package var isRetriable: Bool {
            switch self {
            case .connectionFailed, .connectionLost, .timedOut, .poolExhausted, .serverStartingUp, .adminShutdown,
                .tooManyConnections, .insufficientResources, .readOnlyTransaction, .serializationFailure, .deadlock,
                .lockNotAvailable:
                true
            case .invalidConfiguration, .invalidArgument, .decodingFailed, .resultTooLarge, .cancelled, .clientClosed,
                .commitOutcomeUnknown, .authenticationFailed, .undefinedDatabase, .invalidData, .uniqueViolation,
                .foreignKeyViolation, .notNullViolation, .checkViolation, .exclusionViolation, .integrityViolation,
                .transactionAborted, .invalidTransactionState, .queryCancelled, .syntaxError, .undefinedTable,
                .undefinedColumn, .undefinedFunction, .undefinedSchema, .duplicateObject, .insufficientPrivilege,
                .featureNotSupported, .serverError:
                false
            }
        }
    }
}
