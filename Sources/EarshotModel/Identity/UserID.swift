/// The owner of a device: 1 to 128 characters out of `A-Z a-z 0-9 _ -`, taken from a token's `sub`.
package struct UserID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Accepts only what the rule allows, because the id becomes part of Redis keys and object keys.
    package init?(_ text: some StringProtocol) {
        guard (1...128).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else { return nil }
        self.text = String(text)
    }

    /// What a refusal may say about the rule.
    package static let rule = "1 to 128 characters out of A-Z a-z 0-9 _ -"

    /// The id as it came.
    package var description: String { text }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
