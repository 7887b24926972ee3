/// Who may come in by `/v1/trigger/listen`, and how strictly what they send is read.
package struct BackendDoor: Sendable, CustomStringConvertible, CustomReflectable {
    /// What a refusal may say about service keys.
    package static let keyRule = "comma-separated keys of at least 16 visible ASCII characters each"

    private let keys: [[UInt8]]
    /// Whether everyone who can connect is trusted, without a key.
    package let isInternalNetwork: Bool
    /// Whether the newest rules of the contract hold (omi.md 2.4), or those of the generations before.
    package let isStrict: Bool

    /// A door; without keys, and not on an internal network, it lets nobody in.
    ///
    /// - Returns: `nil` when a key breaks `keyRule`.
    package init?(keys: [String] = [], isInternalNetwork: Bool = false, isStrict: Bool = false) {
        let legal = keys.allSatisfy { key in
            key.utf8.count >= 16 && key.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        }
        guard legal else { return nil }
        self.keys = keys.map { Array($0.utf8) }
        self.isInternalNetwork = isInternalNetwork
        self.isStrict = isStrict
    }

    private init() {
        keys = []
        isInternalNetwork = false
        isStrict = false
    }

    /// The door that lets nobody in.
    package static let closed = BackendDoor()

    /// Whether anybody may come in at all.
    package var isOpen: Bool { isInternalNetwork || !keys.isEmpty }

    /// Whether a token is one of the keys, in a time that does not depend on where they differ.
    func accepts(_ token: String) -> Bool {
        let token = Array(token.utf8)
        var isKnown = false
        for key in keys {
            var difference: UInt8 = token.count == key.count ? 0 : 1
            for index in token.indices { difference |= token[index] ^ key[index % key.count] }
            // No early end: which key it was does not show either.
            isKnown = difference == 0 || isKnown
        }
        return isKnown
    }

    /// Says what it is, without the keys.
    package var description: String { "\(keys.count) keys, internal: \(isInternalNetwork), strict: \(isStrict)" }
    /// Keeps `dump` from looking inside.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
