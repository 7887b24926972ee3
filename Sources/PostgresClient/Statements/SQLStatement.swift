/// A statement whose interpolated values travel beside its text and never become part of it.
///
///     let rows = try await client.query("SELECT id FROM sessions WHERE uid = \(uid) AND length > \(1_000)")
///
/// Each `\(value)` becomes `$1`, `$2` … and a bind. Bulk writes use arrays: `SELECT * FROM unnest(\(ids)::uuid[],
/// \(names))`. Names of tables and columns cannot be bound; for those, and only for texts of our own, there is
/// `\(unsafeSQL: name)`.
package struct SQLStatement: ExpressibleByStringInterpolation, Sendable, CustomStringConvertible {
    /// The text with `$n` in place of the values.
    package let sql: String
    let parameters: [SQLParameter]

    /// The text without the values, which may be personal.
    package var description: String { sql }

    /// Takes a literal without values.
    package init(stringLiteral value: String) {
        sql = value
        parameters = []
    }

    /// Takes a literal with its values.
    package init(stringInterpolation: StringInterpolation) {
        sql = stringInterpolation.sql
        parameters = stringInterpolation.parameters
    }

    /// Takes a text as it is, as from a migration file.
    ///
    /// Never pass anything that came from outside.
    package init(unsafeSQL: String) {
        self.init(stringLiteral: unsafeSQL)
    }

    /// Collects the text and the binds of a ``SQLStatement``.
    package struct StringInterpolation: StringInterpolationProtocol, Sendable {
        var sql = ""
        var parameters: [SQLParameter] = []

        /// Reserves room for the text and the values.
        package init(literalCapacity: Int, interpolationCount: Int) {
            sql.reserveCapacity(literalCapacity + interpolationCount * 3)
            parameters.reserveCapacity(interpolationCount)
        }

        /// Adds a piece of the literal's own text.
        package mutating func appendLiteral(_ literal: String) {
            sql += literal
        }

        /// Binds one value.
        package mutating func appendInterpolation<Scalar: PostgresScalar>(_ value: Scalar) {
            bind(SQLParameter(Optional(value)))
        }

        /// Binds one value, or NULL for nil.
        package mutating func appendInterpolation<Scalar: PostgresScalar>(_ value: Scalar?) {
            bind(SQLParameter(value))
        }

        /// Binds bytes as `bytea`.
        package mutating func appendInterpolation(_ bytes: [UInt8]) {
            bind(SQLParameter(bytes: bytes))
        }

        /// Binds bytes as `bytea`, or NULL for nil.
        package mutating func appendInterpolation(_ bytes: [UInt8]?) {
            bind(SQLParameter(bytes: bytes))
        }

        /// Binds an array.
        package mutating func appendInterpolation<Scalar: PostgresScalar>(_ values: [Scalar]) {
            bind(SQLParameter(array: values.map { Optional($0) }))
        }

        /// Binds an array, or NULL for nil.
        package mutating func appendInterpolation<Scalar: PostgresScalar>(_ values: [Scalar]?) {
            bind(SQLParameter(array: values.map { elements in elements.map { Optional($0) } }))
        }

        /// Binds an array in which nil stands for NULL.
        package mutating func appendInterpolation<Scalar: PostgresScalar>(_ values: [Scalar?]) {
            bind(SQLParameter(array: values))
        }

        /// Binds the text of a JSON document as `jsonb`, or NULL for nil.
        package mutating func appendInterpolation(json: String?) {
            bind(SQLParameter(json))
            sql += "::jsonb"
        }

        /// Binds a time in Unix microseconds as `timestamptz`, exact to the microsecond, or NULL for nil.
        package mutating func appendInterpolation(microseconds: Int64?) {
            sql += "(timestamptz 'epoch' + "
            bind(SQLParameter(microseconds))
            sql += " * interval '1 microsecond')"
        }

        /// Puts a text into the statement as it is.
        ///
        /// Never pass anything that came from outside.
        package mutating func appendInterpolation(unsafeSQL text: String) {
            sql += text
        }

        private mutating func bind(_ parameter: SQLParameter) {
            parameters.append(parameter)
            sql += "$\(parameters.count)"
        }
    }
}
