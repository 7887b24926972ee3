import EarshotModel

/// The `data` of a body in the standard dialect; what does not belong to an event is left out (docs/schemas).
struct EventData: Encodable {
    var uid: String?
    var sessionID: String?
    var conversationID: String?

    // session.started
    var codec: String?
    var sampleRate: Int?
    var language: String?
    var source: String?
    var conversationStartedAt: String?
    var continuesConversation: Bool?

    // session.ended
    var reason: String?
    var frames: UInt64?
    var audioSeconds: Double?
    var corruptFrames: UInt64?

    // transcript.segments
    var firstSegment: UInt64?

    // conversation.completed, conversation.updated
    var startedAt: String?
    var finishedAt: String?
    var durationSeconds: Double?
    var speakers: [Speaker]?
    var segmentCount: Int?
    var segmentsOmitted: Bool?
    var segments: [TranscriptSegment]?
    var audioParts: [StoredPart]?
    var audioPartsOmitted: Bool?
    var audioPending: Bool?

    // audio.stored
    var audio: StoredPart?

    // speaker.sample.stored, speaker.sample.rejected
    var requestID: String?
    var personID: String?
    var segmentIds: [String]?
    var outcome: String?
    var object: String?
    var seconds: Double?

    // endpoint.disabled, endpoint.test
    var endpointID: String?
    var url: String?
    var message: String?

    /// Who speaks in a conversation, and how much.
    struct Speaker: Encodable {
        var speaker: String
        var speakerID: Int
        var personID: String?
        var isUser: Bool
        var segmentCount = 0
        var seconds = 0.0
    }

    /// A stored part of a session's audio, with times as text.
    struct StoredPart: Encodable {
        var part: UInt64
        var firstSequence: UInt64
        var lastSequence: UInt64
        var object: String
        var format: String
        var encrypted: Bool
        var bytes: Int
        var sha256: String
        var sampleRate: Int
        var capturedFrom: String
        var capturedUntil: String
        var seconds: Double

        init(_ part: StoredAudioPart) {
            self.part = part.part
            firstSequence = part.firstSequence
            lastSequence = part.lastSequence
            object = part.object
            format = part.format.rawValue
            encrypted = part.isEncrypted
            bytes = part.bytes
            sha256 = part.sha256
            sampleRate = part.sampleRate
            capturedFrom = ISOTime.text(part.captureStart)
            capturedUntil = ISOTime.text(part.captureEnd)
            seconds = part.seconds
        }
    }
}
