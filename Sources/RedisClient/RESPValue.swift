package import NIOCore

/// A reply as RESP2 knows it.
package enum RESPValue: Sendable, Hashable {
    /// A null bulk string or a null array; RESP2 readers cannot tell and need not.
    case null
    /// An integer reply.
    case integer(Int64)
    /// A status line, such as `OK`.
    case simple(String)
    /// A binary-safe string.
    case bulk(ByteBuffer)
    /// An array; its elements may be errors, for instance in the reply to `EXEC`.
    case array([RESPValue])
    /// An error reply: the server's text, starting with its prefix word.
    case error(String)

    /// The text of a status line or of a bulk string that is valid UTF-8; nil for everything else.
    package var string: String? {
        switch self {
        case .simple(let text): text
        case .bulk(let buffer): String(validating: buffer.readableBytesView, as: UTF8.self)
        case .null, .integer, .array, .error: nil
        }
    }

    /// An integer reply, or a string that is a decimal number in the range of `Int`; nil for everything else.
    package var int: Int? {
        switch self {
        case .integer(let number): Int(exactly: number)
        case .simple, .bulk: string.flatMap { Int($0) }
        case .null, .array, .error: nil
        }
    }

    /// The elements of an array reply; nil for everything else.
    package var array: [RESPValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The bytes of a bulk string, or of a status line; nil for everything else.
    package var bytes: ByteBuffer? {
        switch self {
        case .bulk(let buffer): buffer
        case .simple(let text): ByteBuffer(string: text)
        case .null, .integer, .array, .error: nil
        }
    }

    /// Whether this is the null reply.
    package var isNull: Bool { self == .null }

    /// The error reply as an error to throw; nil for everything else, also for an array that holds one.
    package var asError: RedisError? {
        guard case .error(let text) = self else { return nil }
        return RedisError(.server, text)
    }

    /// What kind of reply this is, for messages about replies that do not fit.
    package var kind: String {
        switch self {
        case .null: "null"
        case .integer: "an integer"
        case .simple: "a status line"
        case .bulk: "a bulk string"
        case .array(let elements): "an array of \(elements.count)"
        case .error: "an error"
        }
    }
}
