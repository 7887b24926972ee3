import EarshotModel
import PostgresClient
import SessionRecord

/// What the commands ask of the record: the one place that knows its interface.
struct RecordQueries {
    private let record: PostgresSessionRecord

    init(client: PostgresClient) {
        record = PostgresSessionRecord(client: client)
    }

    /// Sessions, newest first.
    func sessions(activeOnly: Bool, user: String?, limit: Int) async throws -> [ListedSession] {
        try await record.sessions(activeOnly: activeOnly, user: user, limit: limit).map(ListedSession.init)
    }

    /// A conversation's stored parts.
    func audioParts(ofConversation id: String, user: String?) async throws -> [RecordedAudioPart] {
        try await record.audioParts(ofConversation: id, user: user)
    }

    /// A session's segments, in order; none when the session is unknown.
    func transcript(ofSession id: String) async throws -> SessionTranscript {
        SessionTranscript(sessionID: id, segments: try await record.segments(ofSession: id))
    }
}

/// The answer of `earshot sessions --json`.
struct SessionListing: Encodable {
    let sessions: [ListedSession]
}

/// The answer of `earshot sessions ID --json`.
struct SessionTranscript: Encodable {
    let sessionID: String
    let segments: [TranscriptSegment]
}
