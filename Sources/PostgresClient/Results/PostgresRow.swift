/// One row of an answer.
///
///     let id = try row.decode("id", as: String.self)
///     let end = try row.decode("ended_at_us", as: Int64?.self)
///
/// A plain value type: it holds copies and stays valid after its connection is gone.
package struct PostgresRow: Sendable {
    let columns: PostgresColumns
    /// The values in Postgres' text format, nil for NULL.
    let values: [String?]

    /// The columns' names in order.
    package var columnNames: [String] { columns.names }

    /// The text of a column, nil for NULL and for a column that is not there; `decode` tells the two apart.
    package subscript(_ name: String) -> String? {
        columns.position(of: name).flatMap { values[$0] }
    }

    /// The text of the column at `index` (from 0), nil for NULL and outside the row.
    package subscript(_ index: Int) -> String? {
        values.indices.contains(index) ? values[index] : nil
    }

    /// Returns a column as a `Value`; ask for `Value?` where the column may be NULL.
    ///
    /// - Throws: `.decodingFailed` naming the column when it is missing, NULL or of another type.
    package func decode<Value: PostgresDecodable>(
        _ name: String, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard let index = columns.position(of: name) else {
            let names = columns.names.joined(separator: ", ")
            throw PostgresError(.decodingFailed, "there is no column \"\(name)\"; the answer has \(names)")
        }
        return try decode(index, as: type)
    }

    /// Returns the column at `index` (from 0) as a `Value`.
    ///
    /// - Throws: `.decodingFailed` naming the column when it is missing, NULL or of another type.
    package func decode<Value: PostgresDecodable>(
        _ index: Int, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard values.indices.contains(index) else {
            throw PostgresError(.decodingFailed, "there is no column \(index); the answer has \(values.count) columns")
        }
        guard let value = Value(postgresText: values[index]) else {
            // The value itself may be personal and stays out of the message.
            let found = values[index] == nil ? "NULL" : "a value that is not one"
            throw PostgresError(
                .decodingFailed, "column \"\(columns.names[index])\" was to be \(Value.self) and is \(found)")
        }
        return value
    }

    /// Returns a `timestamptz` column as Unix microseconds, nil for NULL.
    ///
    /// - Throws: `.decodingFailed` naming the column when it is missing or is not a finite point in time.
    package func decodeMicroseconds(_ name: String) throws(PostgresError) -> Int64? {
        guard let text = try decode(name, as: String?.self) else { return nil }
        guard let microseconds = PostgresTimestamp.microseconds(text) else {
            throw PostgresError(.decodingFailed, "column \"\(name)\" was to be a finite timestamptz and is not one")
        }
        return microseconds
    }
}
