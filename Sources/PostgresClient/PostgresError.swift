/// Describes why an operation on Postgres failed.
///
/// `description` names the code, the SQLSTATE and the server's message; it never holds the password nor the values of
/// a statement. `detail` may hold row values (a duplicate key, say) and is therefore kept out of `description`.
package struct PostgresError: Error, Sendable, CustomStringConvertible {
    /// The category, made to be switched on.
    package let code: Code
    /// What happened, in the server's or in this adapter's words.
    package let message: String
    /// The five characters the server sent, when the server reported the error.
    package let sqlState: String?
    /// The server's second line.
    ///
    /// May contain row values: do not log it for tables with personal data.
    package let detail: String?
    /// The server's advice.
    package let hint: String?
    /// The table of a violated constraint.
    package let tableName: String?
    /// The violated constraint, to tell several unique keys of one table apart.
    package let constraintName: String?

    /// Creates an error.
    package init(
        _ code: Code, _ message: String, sqlState: String? = nil, detail: String? = nil, hint: String? = nil,
        tableName: String? = nil, constraintName: String? = nil
    ) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.detail = detail
        self.hint = hint
        self.tableName = tableName
        self.constraintName = constraintName
    }

    /// Whether running the same unit of work again, later, may succeed without anybody changing anything.
    ///
    /// After `.connectionLost` and `.timedOut` a statement outside a transaction may have taken effect: repeat only
    /// what is idempotent. `.commitOutcomeUnknown` is never retriable; look first.
    package var isRetriable: Bool { code.isRetriable }

    /// The code, the SQLSTATE, the message and the hint.
    package var description: String {
        let state = sqlState.map { " (SQLSTATE \($0))" } ?? ""
        let advice = hint.map { " Hint: \($0)" } ?? ""
        return "PostgresError.\(code)\(state): \(message)\(advice)"
    }
}
