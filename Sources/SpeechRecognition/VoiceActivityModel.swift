/// Tells speech from silence, for any number of streams.
package protocol VoiceActivityModel: Sendable {
    /// Returns the judge of a new stream, which has heard nothing.
    func makeStream() -> any VoiceActivityStream
}

/// The judge of one stream: a value that remembers what it heard.
package protocol VoiceActivityStream: Sendable {
    /// Returns the probability, 0…1, that the next window holds speech.
    ///
    /// - Parameter window: 512 finite samples at 16 kHz that follow the window before.
    /// - Returns: The probability, 0…1.
    /// - Throws: `RecognitionError` with `unavailable` when the model fails.
    mutating func probability(of window: ArraySlice<Float>) throws(RecognitionError) -> Float
}
