/// The rule for a `sub` that may become a uid; the same as `UserID`'s, which this target does not import.
enum TokenSubject {
    static let rule = "1 to 128 characters out of A-Z a-z 0-9 _ -"

    /// Checks before any use, because the uid becomes part of Redis keys and object keys.
    static func checked(_ text: String) throws(AccessTokenError) -> String {
        guard (1...128).contains(text.utf8.count), text.utf8.allSatisfy(isAllowed) else {
            throw AccessTokenError(.invalidSubject, "the token's subject is not a user id; allowed: \(rule)")
        }
        return text
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
