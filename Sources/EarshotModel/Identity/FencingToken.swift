/// The value of a lease or an epoch, `counter:nonce`, always compared whole (protocol.md C4).
///
/// The counter orders owners; the nonce tells apart two owners that a failover gave the same counter.
package struct FencingToken: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Wraps a token that Redis gave out.
    package init(_ text: String) { self.text = text }

    /// The token as Redis compares it.
    package var description: String { text }

    /// 64 random bits as 16 hexadecimal digits.
    package static func drawNonce() -> String {
        let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
