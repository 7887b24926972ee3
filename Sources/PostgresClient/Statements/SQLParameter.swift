/// One bound value as it goes over the wire.
struct SQLParameter: Sendable, Equatable {
    /// The bytes and how the server is to read them.
    enum Value: Sendable, Equatable {
        case null
        case text(String)
        case binary([UInt8])
    }

    /// The type's object id; 0 lets the server infer it.
    let type: UInt32
    let value: Value

    init<Scalar: PostgresScalar>(_ scalar: Scalar?) {
        type = Scalar.postgresType
        value = scalar.map { .text($0.postgresText) } ?? .null
    }

    /// Binary, because the text format of `bytea` doubles the size.
    init(bytes: [UInt8]?) {
        type = 17
        value = bytes.map { .binary($0) } ?? .null
    }

    init<Scalar: PostgresScalar>(array: [Scalar?]?) {
        type = Scalar.postgresArrayType
        value = array.map { .text(Self.arrayLiteral($0)) } ?? .null
    }

    /// Writes `{"a","b",NULL}` with every element quoted, so that no element can end the literal.
    private static func arrayLiteral<Scalar: PostgresScalar>(_ elements: [Scalar?]) -> String {
        let quote = UInt8(ascii: "\"")
        let backslash = UInt8(ascii: "\\")
        var literal = [UInt8(ascii: "{")]
        literal.reserveCapacity(elements.count * 16)
        for (index, element) in elements.enumerated() {
            if index > 0 { literal.append(UInt8(ascii: ",")) }
            guard let element else {
                literal.append(contentsOf: "NULL".utf8)
                continue
            }
            literal.append(quote)
            for byte in element.postgresText.utf8 {
                if byte == quote || byte == backslash { literal.append(backslash) }
                literal.append(byte)
            }
            literal.append(quote)
        }
        literal.append(UInt8(ascii: "}"))
        return String(decoding: literal, as: UTF8.self)
    }
}
