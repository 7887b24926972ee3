import CLibPQ

/// Owns one `PGresult`.
///
/// Not `Sendable`: it is read and freed on the thread of its connection.
@safe
struct ResultHandle: ~Copyable {
    /// What a result is, as far as this adapter tells results apart.
    enum Kind: Equatable {
        /// A statement ended without rows, or an empty text was sent.
        case command
        /// The rows that are left, after which the statement has ended; none in single-row mode.
        case rows
        /// One row of several.
        case singleRow
        /// The statement failed.
        case failure
        /// COPY or a protocol mode this adapter never starts.
        case unsupported
    }

    private let raw: OpaquePointer

    init(owning raw: OpaquePointer) {
        unsafe self.raw = unsafe raw
    }

    deinit { unsafe PQclear(raw) }

    var kind: Kind {
        switch unsafe PQresultStatus(raw) {
        case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: .command
        case PGRES_TUPLES_OK: .rows
        case PGRES_SINGLE_TUPLE: .singleRow
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR: .failure
        default: .unsupported
        }
    }

    var rowCount: Int { Int(unsafe PQntuples(raw)) }

    /// The command's tag, such as `INSERT 0 3`, of a result that ends a statement.
    var commandTag: String { unsafe Self.text(PQcmdStatus(raw)) ?? "" }

    /// The number of rows the tag names, 0 for a command that names none.
    var affectedRows: Int { unsafe Self.text(PQcmdTuples(raw)).flatMap { Int($0) } ?? 0 }

    func columns() -> PostgresColumns {
        let count = unsafe PQnfields(raw)
        let names = (0..<count).map { unsafe Self.text(PQfname(raw, $0)) ?? "" }
        return PostgresColumns(names: names)
    }

    func row(_ index: Int, _ columns: PostgresColumns) -> PostgresRow {
        let row = Int32(index)
        let values: [String?] = columns.names.indices.map { position in
            let column = Int32(position)
            guard unsafe PQgetisnull(raw, row, column) == 0, let start = unsafe PQgetvalue(raw, row, column) else {
                return nil
            }
            let length = Int(unsafe PQgetlength(raw, row, column))
            return unsafe String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
        }
        return PostgresRow(columns: columns, values: values)
    }

    /// The SQLSTATE, nil when libpq and not the server made the result.
    var sqlState: String? { unsafe Self.text(clibpq_sqlstate(raw)) }

    /// Converts a failure; the one place where a result becomes a ``PostgresError``.
    func error() -> PostgresError {
        guard let state = sqlState else {
            let text = unsafe Self.text(PQresultErrorMessage(raw)) ?? ""
            return PostgresError(.connectionLost, ConnectionHandle.oneLine(text))
        }
        return unsafe PostgresError(
            SQLState.code(state), Self.text(clibpq_message(raw)) ?? "", sqlState: state,
            detail: Self.text(clibpq_detail(raw)), hint: Self.text(clibpq_hint(raw)),
            tableName: Self.text(clibpq_table(raw)), constraintName: Self.text(clibpq_constraint(raw)))
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe String(cString: pointer)
    }

    private static func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe String(cString: pointer)
    }
}
