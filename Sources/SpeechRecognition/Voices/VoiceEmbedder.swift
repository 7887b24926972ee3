/// Finds out what is particular to a voice.
package protocol VoiceEmbedder: Sendable {
    /// The engine's name; embeddings of different engines cannot be compared.
    var engine: String { get }
    /// When two of its embeddings are one voice.
    var thresholds: VoiceThresholds { get }

    /// Returns the embedding of somebody's speech, of length 1.
    ///
    /// - Parameter samples: Mono audio at 16 kHz, 0.5 to 30 s of one voice.
    /// - Returns: Finite numbers; how many is the engine's choice, at most `VoiceLimits.dimensionsMaximum`.
    /// - Throws: `RecognitionError`; its code says what to do next.
    func embedding(of samples: [Float]) async throws(RecognitionError) -> [Float]
}
