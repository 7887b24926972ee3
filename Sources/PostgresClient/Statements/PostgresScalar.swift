/// A Swift type whose values can be bound to a statement, alone or in an array.
///
/// Numbers and booleans are sent with their Postgres type, so that `\(42)` is a `bigint` wherever it stands; strings
/// are sent without one, so that the server infers it (`uuid`, `timestamptz`, `date` …). Where it cannot, as in
/// `jsonb_build_object('a', \(text))`, write `\(text)::text`.
package protocol PostgresScalar: Sendable {
    /// The type's object id for a single value; 0 lets the server infer it.
    static var postgresType: UInt32 { get }
    /// The object id of the array type.
    static var postgresArrayType: UInt32 { get }
    /// The value in Postgres' text format.
    var postgresText: String { get }
}

extension String: PostgresScalar {
    /// Left to the server.
    package static var postgresType: UInt32 { 0 }
    /// `text[]`.
    package static var postgresArrayType: UInt32 { 1009 }
    /// The text itself.
    package var postgresText: String { self }
}

extension Int: PostgresScalar {
    /// `bigint`.
    package static var postgresType: UInt32 { 20 }
    /// `bigint[]`.
    package static var postgresArrayType: UInt32 { 1016 }
    /// The decimal digits.
    package var postgresText: String { String(self) }
}

extension Int64: PostgresScalar {
    /// `bigint`.
    package static var postgresType: UInt32 { 20 }
    /// `bigint[]`.
    package static var postgresArrayType: UInt32 { 1016 }
    /// The decimal digits.
    package var postgresText: String { String(self) }
}

extension Int32: PostgresScalar {
    /// `integer`.
    package static var postgresType: UInt32 { 23 }
    /// `integer[]`.
    package static var postgresArrayType: UInt32 { 1007 }
    /// The decimal digits.
    package var postgresText: String { String(self) }
}

extension Double: PostgresScalar {
    /// `double precision`.
    package static var postgresType: UInt32 { 701 }
    /// `double precision[]`.
    package static var postgresArrayType: UInt32 { 1022 }
    /// The shortest digits that read back as the same value; Postgres understands "nan", "inf" and "-inf" too.
    package var postgresText: String { description }
}

extension Bool: PostgresScalar {
    /// `boolean`.
    package static var postgresType: UInt32 { 16 }
    /// `boolean[]`.
    package static var postgresArrayType: UInt32 { 1000 }
    /// `t` or `f`.
    package var postgresText: String { self ? "t" : "f" }
}
