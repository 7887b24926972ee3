/// Gathers the results of one exchange.
struct ResultCollector {
    let maximumBytes: Int
    private(set) var exchange = Exchange()
    /// The first failure; of a broken connection the later ones only repeat that it is broken.
    private(set) var failure: PostgresError?
    /// Whether a statement has ended since the request was sent.
    private(set) var isComplete = false
    private var columns: PostgresColumns?
    private var byteCount = 0

    init(maximumBytes: Int) {
        self.maximumBytes = maximumBytes
    }

    mutating func take(_ result: borrowing ResultHandle) throws(PostgresError) {
        switch result.kind {
        case .command:
            end(result)
        case .singleRow:
            try takeRows(result)
        case .rows:
            try takeRows(result)
            end(result)
        case .failure:
            failure = failure ?? result.error()
        case .unsupported:
            throw PostgresError(.invalidArgument, "COPY is not supported here; use INSERT … SELECT FROM unnest(…)")
        }
    }

    private mutating func end(_ result: borrowing ResultHandle) {
        isComplete = true
        exchange.commandTag = result.commandTag
        exchange.affectedRows = result.affectedRows
        columns = nil
    }

    private mutating func takeRows(_ result: borrowing ResultHandle) throws(PostgresError) {
        for index in 0..<result.rowCount {
            let columns = columns ?? result.columns()
            self.columns = columns
            let row = result.row(index, columns)
            byteCount += row.values.reduce(0) { $0 + 16 + ($1?.utf8.count ?? 0) }
            guard byteCount <= maximumBytes else {
                throw PostgresError(
                    .resultTooLarge, "the answer is larger than \(maximumBytes) bytes; select fewer rows with LIMIT")
            }
            exchange.rows.append(row)
        }
    }
}
