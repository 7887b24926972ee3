/// The name of an object: components of safe characters, separated by slashes.
///
/// A key becomes a path of a directory store and of a URL, so it is built from checked parts only.
package struct ObjectKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The whole key.
    package let text: String

    /// Longest component: file systems take no longer names, and a temporary name adds some.
    package static let componentBytesMax = 200
    /// Longest key: S3 takes 1,024 bytes.
    package static let bytesMax = 900

    /// Puts a key together.
    ///
    /// - Throws: `ObjectStoreError` with `invalidKey` for a component that breaks `rule`.
    package init(_ components: [String]) throws(ObjectStoreError) {
        for component in components {
            guard Self.isAllowed(component) else {
                throw ObjectStoreError(
                    .invalidKey,
                    "\(String(component.prefix(60)).debugDescription) is no part of an object key; \(Self.rule)")
            }
        }
        text = components.joined(separator: "/")
        guard !components.isEmpty, text.utf8.count <= Self.bytesMax else {
            throw ObjectStoreError(
                .invalidKey,
                "an object key of \(text.utf8.count) bytes is not allowed; allowed are 1 to \(Self.bytesMax)")
        }
    }

    /// Reads a key that stands in the record or in a listing, by the same rule.
    package init(_ text: String) throws(ObjectStoreError) {
        try self.init(text.split(separator: "/", omittingEmptySubsequences: false).map(String.init))
    }

    /// What a refusal may say about the rule.
    package static let rule =
        "allowed are 1 to \(componentBytesMax) of A-Z a-z 0-9 . _ : -, not beginning with a dot"

    /// The parts between the slashes.
    package var components: [String] { text.split(separator: "/").map(String.init) }

    /// The whole key.
    package var description: String { text }

    /// Orders keys by their bytes, as S3 lists them.
    package static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    private static func isAllowed(_ component: String) -> Bool {
        (1...componentBytesMax).contains(component.utf8.count) && component.utf8.first != UInt8(ascii: ".")
            && component.utf8.allSatisfy(isAllowed)
    }

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
