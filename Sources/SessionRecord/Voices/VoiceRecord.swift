package import EarshotModel

/// The record as far as learning voices needs it.
package protocol VoiceRecord: Sendable {
    /// A user's conversation: its segments by time; `nil` when the user has no such conversation.
    func segments(
        ofConversation id: String, user: UserID
    ) async throws(SessionRecordError) -> [PlacedSegment]?
    /// The voice of a person, if it was taught.
    func voice(of person: String, user: UserID) async throws(SessionRecordError) -> TaughtVoice?
    /// A user's voices, by person; at most `limit`.
    func voices(of user: UserID, limit: Int) async throws(SessionRecordError) -> [TaughtVoice]
    /// Keeps a voice in place of the person's older one; a voice of a newer request stays.
    func keep(_ voice: TaughtVoice) async throws(SessionRecordError)
}
