/// What is sent to the server.
enum ExchangeRequest: Sendable {
    case statement(SQLStatement)
    case script(String)

    /// Refuses what the protocol cannot carry, before anything is sent.
    func validate() throws(PostgresError) {
        switch self {
        case .script(let text):
            guard !text.utf8.contains(0) else {
                throw PostgresError(.invalidArgument, "the script contains a NUL character")
            }
        case .statement(let statement):
            guard !statement.sql.utf8.contains(0) else {
                throw PostgresError(.invalidArgument, "the statement contains a NUL character")
            }
            guard statement.parameters.count <= 65_535 else {
                throw PostgresError(
                    .invalidArgument,
                    "the statement has \(statement.parameters.count) values; 65535 are allowed. Bind arrays instead")
            }
            for (index, parameter) in statement.parameters.enumerated() {
                guard case .text(let text) = parameter.value, text.utf8.contains(0) else { continue }
                throw PostgresError(
                    .invalidArgument,
                    "value $\(index + 1) contains a NUL character, which PostgreSQL's texts cannot hold")
            }
        }
    }
}
