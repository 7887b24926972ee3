package import EarshotModel

/// The durable record of what happened.
package protocol SessionRecord: Sendable {
    /// Writes events, in their order; writing one again, or an older one later, changes nothing.
    func write(_ events: [SessionEvent]) async throws(SessionRecordError)
    /// Sessions, newest first, at most `limit`: only live ones, and only one user's, when asked.
    func sessions(activeOnly: Bool, user: String?, limit: Int) async throws(SessionRecordError) -> [RecordedSession]
    /// A session's segments, in order.
    func segments(ofSession id: String) async throws(SessionRecordError) -> [TranscriptSegment]
    /// The segments of a user's conversation, by time; ids of conversations are names within their user.
    func segments(ofConversation id: String, user: String) async throws(SessionRecordError) -> [TranscriptSegment]
    /// A session's stored parts, in order.
    func audioParts(ofSession id: String) async throws(SessionRecordError) -> [RecordedAudioPart]
    /// A conversation's stored parts, by capture time; `nil` finds every user's conversation of that name.
    func audioParts(ofConversation id: String, user: String?) async throws(SessionRecordError) -> [RecordedAudioPart]
}
