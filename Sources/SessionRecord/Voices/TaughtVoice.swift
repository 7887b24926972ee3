package import EarshotModel

/// A voice as the record keeps it: what it is compared by, and the sample it was made of.
package struct TaughtVoice: Equatable, Sendable {
    package var uid: String
    package var voice: KnownVoice
    /// The sample's key in the object store, and its length in seconds.
    package var sample: String
    package var seconds: Double
    /// The request it answers, and the Unix µs at which it was made.
    package var request: String
    package var requestedAt: Int64

    /// Makes a voice.
    package init(
        uid: String, voice: KnownVoice, sample: String, seconds: Double, request: String, requestedAt: Int64
    ) {
        self.uid = uid
        self.voice = voice
        self.sample = sample
        self.seconds = seconds
        self.request = request
        self.requestedAt = requestedAt
    }
}
