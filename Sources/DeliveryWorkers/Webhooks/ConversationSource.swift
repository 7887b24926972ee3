package import WebhookDelivery

/// Where the deliverer reads conversations.
package protocol ConversationSource: Sendable {
    /// A user's conversation as far as the record has it; `nil` when the record does not know it.
    ///
    /// It is complete when the record has everything up to a time, in Unix µs.
    func conversation(
        _ id: String, of uid: String, asOf time: Int64
    ) async throws(WebhookError) -> ConversationSnapshot?
}
