/// Finds out what is particular to a voice.
package protocol VoiceEmbedder: Sendable {
    /// The engine's name; embeddings of different engines cannot be compared.
    var engine: String { get }
    /// When two of its embeddings are one voice.
    var thresholds: VoiceThresholds { get }
    /// How long a text that is ready waits for its voices; then it goes out without.
    var textDelayMax: Duration { get }

    /// Returns the embedding of somebody's speech, of length 1.
    ///
    /// - Parameter samples: Mono audio at 16 kHz, 0.5 to 30 s of one voice.
    /// - Returns: Finite numbers; how many is the engine's choice, at most `VoiceLimits.dimensionsMaximum`.
    /// - Throws: `RecognitionError`; its code says what to do next.
    func embedding(of samples: [Float]) async throws(RecognitionError) -> [Float]
}

extension VoiceEmbedder {
    /// A 5-second utterance's voices take 50 ms longer than its text; more is load, and then words go first.
    package var textDelayMax: Duration { .milliseconds(300) }
}
