/// Names a stretch of talk of one user; the device may choose it (`client_conversation_id`).
package struct ConversationID: Hashable, Sendable, CustomStringConvertible {
    package let value: UniqueID

    /// Wraps an id.
    package init(_ value: UniqueID) { self.value = value }

    /// Reads the UUID text form.
    package init?(_ text: some StringProtocol) {
        guard let value = UniqueID(text) else { return nil }
        self.value = value
    }

    /// The UUID text form.
    package var description: String { value.description }
}
