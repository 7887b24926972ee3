/// The streams of a partition that groups consume.
package enum StreamKind: String, Sendable {
    case audio
    case events
    /// Requests for voice samples.
    case speakerSample = "speaker-sample"

    /// The field of `{pNNN}:meta` that lists the stream's enabled groups.
    package var groupsField: String {
        switch self {
        case .audio: "audio_groups"
        case .events: "event_groups"
        case .speakerSample: "sample_groups"
        }
    }
}
