/// Finds out where voices take turns.
package protocol TurnFinder: Sendable {
    /// Returns who speaks when in an utterance.
    ///
    /// - Parameter samples: Mono audio at 16 kHz, at most 30 s.
    /// - Returns: Voices that are told apart within 10 s, but not known.
    /// - Throws: `RecognitionError`; its code says what to do next.
    func turns(in samples: [Float]) async throws(RecognitionError) -> SpeakerTurns
}
