/// Something the record and webhooks care about, as it stands in a partition's event stream.
///
/// The id is derived from (session, group, ordinal), so that a replay writes the same event again, never another.
package struct SessionEvent: Codable, Equatable, Sendable {
    /// The kinds of events of this schema version.
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case sessionStarted = "session.started"
        case sessionEnded = "session.ended"
        case sessionUsage = "session.usage"
        case transcriptSegments = "transcript.segments"
        case conversationCompleted = "conversation.completed"
        case conversationUpdated = "conversation.updated"
        case audioStored = "audio.stored"
        case speakerSampleStored = "speaker.sample.stored"
        case speakerSampleRejected = "speaker.sample.rejected"
        case endpointDisabled = "endpoint.disabled"
        case endpointAttempts = "endpoint.attempts"
    }

    package var id: String
    package var type: Kind
    /// Version of this shape; a consumer refuses a newer one.
    package var schema: Int
    package var uid: String
    package var session: String
    package var conversation: String
    /// Unix µs at which the event came about.
    package var time: Int64
    /// The writer's count of this session's events, growing; an older event never overwrites a newer row.
    package var ordinal: UInt64

    /// `session.started`: what the session was opened with, and when its conversation began (Unix µs).
    package var codec: String?
    package var sampleRate: Int?
    package var language: String?
    package var source: String?
    package var gateway: String?
    package var conversationStart: Int64?
    package var continuesConversation: Bool?
    /// `session.started`: the session that this one continues.
    package var predecessor: String?
    /// `session.ended`.
    package var reason: String?
    package var frames: UInt64?
    /// Frames that the device had given up before it continued its last session, and that nobody had.
    package var lostFrames: UInt64?
    /// Seconds of audio the transcript group went through.
    package var audioSeconds: Double?
    package var corruptFrames: UInt64?
    /// `session.usage`.
    package var usage: SessionUsage?
    /// `transcript.segments`: the segments, and the ordinal of the first.
    package var segments: [TranscriptSegment]?
    package var firstSegment: UInt64?
    /// `audio.stored`: the part, and the numbers between its first and last frame that are not in it.
    package var audio: StoredAudioPart?
    package var missingFrames: [ClosedRange<UInt64>]?
    /// `speaker.sample.stored` and `speaker.sample.rejected`.
    package var sample: SpeakerSampleResult?
    /// `endpoint.disabled`: the endpoint, and why.
    package var endpoint: String?
    /// `endpoint.attempts`: requests with windows of live audio; the webhook worker, which has the database, logs them.
    package var attempts: [AudioAttempt]?
    /// `conversation.completed`, `conversation.updated`: Unix µs of its last speech or audio.
    package var conversationEnd: Int64?
    /// The same: that not all of its audio is stored yet; `conversation.updated` comes when it is.
    package var audioPending: Bool?

    /// Makes an event whose id derives from its session, the writing group and the ordinal.
    package init(
        type: Kind, group: String, uid: String, session: SessionID, conversation: String, time: Int64, ordinal: UInt64
    ) {
        self.id = Self.identifier(session: session, group: group, type: type, ordinal: ordinal).description
        self.type = type
        self.schema = Self.schemaVersion
        self.uid = uid
        self.session = session.description
        self.conversation = conversation
        self.time = time
        self.ordinal = ordinal
    }

    /// The version written today.
    package static let schemaVersion = 1

    /// The id of an event.
    package static func identifier(session: SessionID, group: String, type: Kind, ordinal: UInt64) -> UniqueID {
        .derived(from: session.value, name: "event/\(group)/\(type.rawValue)/\(ordinal)")
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case type
        case schema
        case uid
        case session
        case conversation
        case time
        case ordinal
        case codec
        case sampleRate = "sample_rate"
        case language
        case source
        case gateway
        case conversationStart = "conversation_start"
        case continuesConversation = "continues_conversation"
        case predecessor
        case reason
        case frames
        case lostFrames = "lost_frames"
        case audioSeconds = "audio_seconds"
        case corruptFrames = "corrupt_frames"
        case usage
        case segments
        case firstSegment = "first_segment"
        case audio
        case missingFrames = "missing_frames"
        case sample
        case endpoint
        case attempts
        case conversationEnd = "conversation_end"
        case audioPending = "audio_pending"
    }
}
