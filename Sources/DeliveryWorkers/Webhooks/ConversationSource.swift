package import WebhookDelivery

/// Where the deliverer reads conversations.
package protocol ConversationSource: Sendable {
    /// A conversation as far as the record has it; `nil` when the record does not know it.
    func conversation(_ id: String) async throws(WebhookError) -> ConversationSnapshot?
}
