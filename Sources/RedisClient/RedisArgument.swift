package import NIOCore

/// One argument of a command: text, a number or bytes.
///
/// Literals convert by themselves; everything else is named: `RedisCommand("SET", .init(key), .init(payload))`.
package struct RedisArgument: Sendable, Hashable, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral {
    private enum Content: Sendable, Hashable {
        case text(String)
        case signed(Int64)
        case unsigned(UInt64)
        case array([UInt8])
        case buffer(ByteBuffer)
    }

    private let content: Content

    /// An argument sent as UTF-8.
    package init(_ text: String) { content = .text(text) }
    /// An argument sent in decimal.
    package init(_ number: Int) { content = .signed(Int64(number)) }
    /// An argument sent in decimal.
    package init(_ number: Int64) { content = .signed(number) }
    /// An argument sent in decimal.
    package init(_ number: UInt64) { content = .unsigned(number) }
    /// An argument sent as it is.
    package init(_ bytes: [UInt8]) { content = .array(bytes) }
    /// An argument sent as it is: the readable bytes of the buffer.
    package init(_ bytes: ByteBuffer) { content = .buffer(bytes) }
    /// An argument sent as UTF-8.
    package init(stringLiteral value: String) { content = .text(value) }
    /// An argument sent in decimal.
    package init(integerLiteral value: Int64) { content = .signed(value) }

    func write(to writer: inout RESPWriter) {
        switch content {
        case .text(let text): writer.write(text)
        case .signed(let number): writer.write(number)
        case .unsigned(let number): writer.write(number)
        case .array(let bytes): writer.write(bytes)
        case .buffer(let bytes): writer.write(bytes)
        }
    }

    /// The argument as text, if it is text; command names are.
    var text: String? {
        guard case .text(let text) = content else { return nil }
        return text
    }
}
