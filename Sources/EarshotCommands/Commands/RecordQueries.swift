import EarshotModel
import PostgresClient
import SessionRecord

/// What the commands ask of the record: the one place that knows its interface.
struct RecordQueries {
    private let record: PostgresSessionRecord

    init(client: PostgresClient) {
        record = PostgresSessionRecord(client: client)
    }

    /// A page of sessions, newest first.
    ///
    /// - Parameters:
    ///   - activeOnly: Whether those that have ended are left out.
    ///   - user: Whose; `nil` is everybody's.
    ///   - before: The page begins behind this session; `nil` is the first page.
    ///   - limit: How many a page has.
    /// - Returns: The page, and where the next one begins.
    /// - Throws: `CommandError` when the session `before` is not known.
    func sessions(activeOnly: Bool, user: String?, before: String?, limit: Int) async throws -> SessionListing {
        var place: SessionPlace?
        if let before {
            guard let session = try await record.session(before) else {
                throw CommandError("the record has no session \(before) to go on behind")
            }
            place = SessionPlace(session)
        }
        // One more than a page tells whether there is another one.
        let found = try await record.sessions(activeOnly: activeOnly, user: user, before: place, limit: limit + 1)
        let page = found.prefix(limit)
        return SessionListing(
            sessions: page.map(ListedSession.init), next: found.count > limit ? page.last?.id : nil)
    }

    /// A conversation's stored parts.
    func audioParts(ofConversation id: String, user: String?) async throws -> [RecordedAudioPart] {
        try await record.audioParts(ofConversation: id, user: user)
    }

    /// A user's usage by day, the latest first.
    func usage(of user: String) async throws -> [DailyUsage] { try await record.usage(of: user) }

    /// A session's segments, in order.
    ///
    /// - Throws: `CommandError` when the record does not know the session.
    func transcript(ofSession id: String) async throws -> SessionTranscript {
        guard try await record.session(id) != nil else { throw CommandError("the record has no session \(id)") }
        return SessionTranscript(sessionID: id, segments: try await record.segments(ofSession: id))
    }
}

/// The answer of `earshot sessions --json`.
struct SessionListing: Encodable {
    let sessions: [ListedSession]
    /// What `--before` takes for the next page; `nil` on the last one.
    let next: String?
}

/// The answer of `earshot sessions ID --json`.
struct SessionTranscript: Encodable {
    let sessionID: String
    let segments: [TranscriptSegment]
}
