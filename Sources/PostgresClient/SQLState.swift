/// The one table from SQLSTATE to ``PostgresError/Code``.
enum SQLState {
    /// States that mean something of their own; looked up before the classes.
    private static let exact: [String: PostgresError.Code] = [
        "3D000": .undefinedDatabase,
        "3F000": .undefinedSchema,
        "23502": .notNullViolation,
        "23503": .foreignKeyViolation,
        "23505": .uniqueViolation,
        "23514": .checkViolation,
        "23P01": .exclusionViolation,
        "25006": .readOnlyTransaction,
        "25P02": .transactionAborted,
        "25P03": .adminShutdown,
        "40001": .serializationFailure,
        "40003": .commitOutcomeUnknown,
        "40P01": .deadlock,
        "42501": .insufficientPrivilege,
        "42601": .syntaxError,
        "42703": .undefinedColumn,
        "42883": .undefinedFunction,
        "42P01": .undefinedTable,
        "42701": .duplicateObject,
        "42710": .duplicateObject,
        "42723": .duplicateObject,
        "42P04": .duplicateObject,
        "42P06": .duplicateObject,
        "42P07": .duplicateObject,
        "53300": .tooManyConnections,
        "55P03": .lockNotAvailable,
        "57014": .queryCancelled,
        "57P01": .adminShutdown,
        "57P02": .adminShutdown,
        "57P03": .serverStartingUp,
        "57P04": .adminShutdown,
        "57P05": .adminShutdown,
    ]

    /// First two characters, for the rest of a class.
    private static let classes: [String: PostgresError.Code] = [
        "08": .connectionLost,
        "0A": .featureNotSupported,
        "22": .invalidData,
        "23": .integrityViolation,
        "25": .invalidTransactionState,
        "28": .authenticationFailed,
        "53": .insufficientResources,
    ]

    /// Returns the code of `state`, `.serverError(state)` for one that has no category of its own.
    static func code(_ state: String) -> PostgresError.Code {
        exact[state] ?? classes[String(state.prefix(2))] ?? .serverError(state)
    }

    /// Finds the SQLSTATE in a failed connection attempt's message.
    ///
    /// libpq 15 has no accessor for it before there is a result. With verbose errors the server's part reads
    /// `SEVERITY:  SQLSTATE: text`, whatever the language.
    ///
    /// - Returns: The state and the text behind it, or nil when the message does not come from the server.
    static func inVerboseMessage(_ message: String) -> (state: String, text: String)? {
        let bytes = Array(message.utf8)
        guard bytes.count > 10 else { return nil }
        for start in 0..<(bytes.count - 9) where bytes[start...].starts(with: [0x3A, 0x20, 0x20]) {
            let state = bytes[(start + 3)..<(start + 8)]
            let isState = state.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }
            guard isState, bytes[start + 8] == 0x3A else { continue }
            let line = bytes[(start + 9)...].prefix { $0 != 0x0A }.drop { $0 == 0x20 }
            return (String(decoding: state, as: UTF8.self), String(decoding: line, as: UTF8.self))
        }
        return nil
    }
}
