package import EarshotModel

/// What an endpoint may ask for: the events of the stream, live audio, and what concerns the endpoint itself.
package enum WebhookEventType: String, Codable, Sendable, CaseIterable {
    case sessionStarted = "session.started"
    case sessionEnded = "session.ended"
    case transcriptSegments = "transcript.segments"
    case conversationCompleted = "conversation.completed"
    case conversationUpdated = "conversation.updated"
    case audioStored = "audio.stored"
    case speakerSampleStored = "speaker.sample.stored"
    case speakerSampleRejected = "speaker.sample.rejected"
    /// Another endpoint of the same owner was disabled.
    case endpointDisabled = "endpoint.disabled"
    /// Windows of live PCM; not an event of JSON.
    case audioBytes = "audio.bytes"
    /// Sent by `earshot endpoint test` only; nobody subscribes to it.
    case endpointTest = "endpoint.test"

    /// The type of an event of the stream; `nil` for what is no endpoint's business.
    package init?(_ kind: SessionEvent.Kind) {
        switch kind {
        case .sessionStarted: self = .sessionStarted
        case .sessionEnded: self = .sessionEnded
        case .transcriptSegments: self = .transcriptSegments
        case .conversationCompleted: self = .conversationCompleted
        case .conversationUpdated: self = .conversationUpdated
        case .audioStored: self = .audioStored
        case .speakerSampleStored: self = .speakerSampleStored
        case .speakerSampleRejected: self = .speakerSampleRejected
        case .endpointDisabled: self = .endpointDisabled
        case .endpointAttempts, .sessionUsage: return nil
        }
    }

    /// What an endpoint may subscribe to.
    package static let subscribable = allCases.filter { $0 != .endpointTest }

    /// Whether its body is built from the record, once that is as far as the event.
    package var needsRecord: Bool { self == .conversationCompleted || self == .conversationUpdated }
}
