/// How an endpoint wants to be spoken to.
package enum WebhookDialect: String, Codable, Sendable, CaseIterable {
    /// Standard Webhooks 1.0: `{"type", "timestamp", "data"}`.
    case standard
    /// The bodies and query parameters of Omi's webhooks (omi.md section 4), signed all the same.
    case omi

    /// The events that have a form in the dialect.
    package var events: [WebhookEventType] {
        switch self {
        case .standard: WebhookEventType.subscribable
        case .omi: [.transcriptSegments, .conversationCompleted, .audioBytes]
        }
    }
}
