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

    /// The type of an event of the stream.
    package init(_ kind: SessionEvent.Kind) {
        self =
            switch kind {
            case .sessionStarted: .sessionStarted
            case .sessionEnded: .sessionEnded
            case .transcriptSegments: .transcriptSegments
            case .conversationCompleted: .conversationCompleted
            case .conversationUpdated: .conversationUpdated
            case .audioStored: .audioStored
            case .speakerSampleStored: .speakerSampleStored
            case .speakerSampleRejected: .speakerSampleRejected
            case .endpointDisabled: .endpointDisabled
            }
    }

    /// What an endpoint may subscribe to.
    package static let subscribable = allCases.filter { $0 != .endpointTest }

    /// Whether its body is built from the record, once that is as far as the event.
    package var needsRecord: Bool { self == .conversationCompleted || self == .conversationUpdated }
}
