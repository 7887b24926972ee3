import FoundationEssentials
import SessionRecord

/// A session as `earshot sessions` shows it.
struct ListedSession: Encodable, Equatable {
    var sessionID: String
    var uid: String
    var conversationID: String
    var codec: String?
    var sampleRate: Int?
    var language: String?
    var source: String?
    var gateway: String?
    var startedAt: String?
    var endedAt: String?
    var endReason: String?
    var audioSeconds: Double?

    init(_ session: RecordedSession) {
        sessionID = session.id
        uid = session.uid
        conversationID = session.conversation
        codec = session.codec
        sampleRate = session.sampleRate
        language = session.language
        source = session.source
        gateway = session.gateway
        startedAt = session.startedAt.map(Self.timestamp)
        endedAt = session.endedAt.map(Self.timestamp)
        endReason = session.endReason
        audioSeconds = session.audioSeconds
    }

    /// UTC with milliseconds and a Z.
    static func timestamp(_ microseconds: Int64) -> String {
        // Whole milliseconds first: the style rounds, and a time must not round up to the next second.
        let milliseconds = microseconds / 1_000
        return Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
