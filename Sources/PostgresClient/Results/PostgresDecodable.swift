/// A Swift type that can be read from a column.
package protocol PostgresDecodable: Sendable {
    /// Reads Postgres' text format, nil for NULL. Returns nil when the text is not such a value.
    init?(postgresText: String?)
}

extension String: PostgresDecodable {
    /// Takes any text.
    package init?(postgresText: String?) {
        guard let postgresText else { return nil }
        self = postgresText
    }
}

extension Int: PostgresDecodable {
    /// Reads an integer of up to 64 bits.
    package init?(postgresText: String?) {
        guard let postgresText else { return nil }
        self.init(postgresText)
    }
}

extension Int64: PostgresDecodable {
    /// Reads an integer of up to 64 bits.
    package init?(postgresText: String?) {
        guard let postgresText else { return nil }
        self.init(postgresText)
    }
}

extension Int32: PostgresDecodable {
    /// Reads an integer of up to 32 bits.
    package init?(postgresText: String?) {
        guard let postgresText else { return nil }
        self.init(postgresText)
    }
}

extension Double: PostgresDecodable {
    /// Reads any number, also `NaN` and `Infinity`.
    package init?(postgresText: String?) {
        guard let postgresText else { return nil }
        self.init(postgresText)
    }
}

extension Bool: PostgresDecodable {
    /// Reads `t` or `f`.
    package init?(postgresText: String?) {
        switch postgresText {
        case "t": self = true
        case "f": self = false
        default: return nil
        }
    }
}

/// `bytea` in the server's default output format, `\x` and two digits for each byte.
extension [UInt8]: PostgresDecodable {
    /// Reads `\x` and pairs of hexadecimal digits.
    package init?(postgresText: String?) {
        guard let postgresText, postgresText.hasPrefix("\\x") else { return nil }
        let digits = postgresText.utf8.dropFirst(2)
        guard digits.count.isMultiple(of: 2) else { return nil }
        self.init()
        reserveCapacity(digits.count / 2)
        var high: UInt8?
        for digit in digits {
            guard let value = Character(UnicodeScalar(digit)).hexDigitValue else { return nil }
            if let first = high {
                append(first << 4 | UInt8(value))
                high = nil
            } else {
                high = UInt8(value)
            }
        }
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    /// Reads NULL as nil.
    package init?(postgresText: String?) {
        guard let postgresText else {
            self = .none
            return
        }
        guard let value = Wrapped(postgresText: postgresText) else { return nil }
        self = .some(value)
    }
}
