package import EarshotModel

/// The durable record of what happened.
package protocol SessionRecord: Sendable {
    /// Writes events, in their order; writing one again, or an older one later, changes nothing.
    func write(_ events: [SessionEvent]) async throws(SessionRecordError)
    /// Sessions, newest first, at most `limit`: only live ones, only one user's, and only what follows a place in that
    /// order, when asked.
    ///
    /// Sessions whose start is not known come first, and those of one moment by id.
    func sessions(
        activeOnly: Bool, user: String?, before place: SessionPlace?, limit: Int
    ) async throws(SessionRecordError) -> [RecordedSession]
    /// One session; `nil` when it is not known.
    func session(_ id: String) async throws(SessionRecordError) -> RecordedSession?
    /// A session's segments, in order.
    func segments(ofSession id: String) async throws(SessionRecordError) -> [TranscriptSegment]
    /// The segments of a user's conversation, by time; ids of conversations are names within their user.
    func segments(ofConversation id: String, user: String) async throws(SessionRecordError) -> [TranscriptSegment]
    /// A user's usage, the latest day first.
    func usage(of user: String) async throws(SessionRecordError) -> [DailyUsage]
    /// A session's stored parts, in order.
    func audioParts(ofSession id: String) async throws(SessionRecordError) -> [RecordedAudioPart]
    /// A conversation's stored parts, by capture time; `nil` finds every user's conversation of that name.
    func audioParts(ofConversation id: String, user: String?) async throws(SessionRecordError) -> [RecordedAudioPart]
}

extension SessionRecord {
    /// The first page.
    package func sessions(
        activeOnly: Bool, user: String?, limit: Int
    ) async throws(SessionRecordError) -> [RecordedSession] {
        try await sessions(activeOnly: activeOnly, user: user, before: nil, limit: limit)
    }
}
