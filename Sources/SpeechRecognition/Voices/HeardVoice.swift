/// One voice in 10 s of an utterance.
package struct HeardVoice: Sendable, Equatable {
    /// The window of `SpeakerTurns` it was heard in, and its bit there.
    package var window: Int
    package var bit: UInt8
    /// Samples in which nobody else spoke.
    package var soloCount: Int
    /// Of length 1; nil when there was too little to tell.
    package var embedding: [Float]?

    /// Makes a voice.
    package init(window: Int, bit: UInt8, soloCount: Int, embedding: [Float]?) {
        self.window = window
        self.bit = bit
        self.soloCount = soloCount
        self.embedding = embedding
    }
}
