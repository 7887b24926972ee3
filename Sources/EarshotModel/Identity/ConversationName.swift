/// A conversation's id as a back end chose it.
///
/// It becomes part of Redis keys and object keys, so it holds no slash, no control character and no step upwards. Every
/// name is a component of an object key: audio that the door takes can be stored.
package struct ConversationName: Hashable, Sendable, CustomStringConvertible {
    /// What a refusal may say about the rule.
    package static let rule =
        "1 to 128 of A-Z a-z 0-9 . _ : -, not beginning with a dot, without two dots in a row"

    package let text: String

    /// A name; `nil` when the text breaks `rule`.
    package init?(_ text: String) {
        guard (1...128).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else { return nil }
        guard !text.hasPrefix("."), !text.contains("..") else { return nil }
        self.text = text
    }

    /// The text.
    package var description: String { text }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
