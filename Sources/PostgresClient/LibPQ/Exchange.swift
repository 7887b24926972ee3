/// What one exchange with the server brought.
struct Exchange: Sendable {
    var rows: [PostgresRow] = []
    var affectedRows = 0
    var commandTag = ""
    /// Whether the connection is in step with the server and can go on.
    var isConnectionUsable = true
}

/// A failed exchange.
struct ExchangeFailure: Error {
    let error: PostgresError
    /// Whether the connection is in step with the server and can go on.
    let isConnectionUsable: Bool
}
