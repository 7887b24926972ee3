package import EarshotModel
package import WorkerRuntime

/// Reads speech out of stored audio.
package protocol StoredAudioReading: Sendable {
    /// The audio of some stretches of a conversation.
    ///
    /// - Parameters:
    ///   - stretches: What is wanted, in the order of time.
    ///   - conversation: The conversation.
    ///   - user: Whose it is.
    ///   - partition: The user's.
    /// - Returns: The audio, or what is missing.
    /// - Throws: `LaneFailure.dependency` while the record or the registry is away.
    func speech(
        _ stretches: [SpeechStretch], of conversation: String, user: UserID, in partition: Partition
    ) async throws(LaneFailure) -> StoredSpeech
}
