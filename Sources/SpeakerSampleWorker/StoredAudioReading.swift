package import EarshotModel
package import WorkerRuntime

/// Reads speech out of stored audio.
package protocol StoredAudioReading: Sendable {
    /// The audio of some stretches of a conversation.
    ///
    /// - Parameters:
    ///   - stretches: Sessions with Unix µs, in the order of time.
    ///   - conversation: The conversation.
    ///   - user: Whose it is.
    /// - Returns: The audio, or what is missing.
    /// - Throws: `LaneFailure.dependency` while the store or the record is away.
    func speech(
        _ stretches: [(session: String, times: Range<Int64>)], of conversation: String, user: UserID
    ) async throws(LaneFailure) -> StoredSpeech
}
