/// A process's name and a random part drawn at its start: `gateway-0#9f3c…` (protocol.md H11).
///
/// A restart under the same name is another incarnation, and its start ends the older ones.
package struct Incarnation: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let name: String
    package let nonce: String

    /// Draws the incarnation of a process that starts now.
    ///
    /// - Parameter name: the process's stable name, for example `gateway-0`; `#` is replaced, since it separates.
    package init(startingAs name: String) {
        self.name = name.replacing("#", with: "-")
        self.nonce = FencingToken.drawNonce()
    }

    /// Reads `name#nonce`.
    package init?(_ text: some StringProtocol) {
        guard let separator = text.lastIndex(of: "#"), separator != text.startIndex else { return nil }
        self.name = String(text[..<separator])
        self.nonce = String(text[text.index(after: separator)...])
        guard !nonce.isEmpty else { return nil }
    }

    /// `name#nonce`.
    package var description: String { "\(name)#\(nonce)" }

    /// Orders by text, so that every process sorts members alike.
    package static func < (lhs: Incarnation, rhs: Incarnation) -> Bool { lhs.description < rhs.description }
}
