/// The numbers by which a stream is cut into utterances; lengths are samples at 16 kHz.
///
/// `standard` was chosen by word errors on recorded speech (docs/speech.md).
package struct SegmentationPolicy: Sendable, Equatable {
    /// The samples that are judged together: what the voice activity model takes.
    package static let windowCount = 512

    /// From this probability on a window is speech.
    package var speechThreshold: Float = 0.5
    /// Below it a window is silence; between the two it is what the window before was.
    package var silenceThreshold: Float = 0.35
    /// Silence that ends an utterance: 500 ms, rounded up to windows.
    ///
    /// More hears better and answers later.
    package var closingSilence = 8_000
    /// Less speech than this, 192 ms, is a click or a breath, and no utterance.
    package var speechMin = 3_072
    /// Audio kept before the first window of speech, 96 ms: its onset is quieter than the threshold.
    package var leadIn = 1_536
    /// Audio kept after the last window of speech, 200 ms: its last sounds are quieter, too.
    package var leadOut = 3_200
    /// The longest utterance: 30 s, which is what a call of the recogniser takes.
    package var utteranceMax = 480_000
    /// How far back a forced cut looks for a pause: 10 s.
    package var cutSearch = 160_000
    /// A shorter utterance, 3 s, is not cut for a hand-over: a cut costs words, hearing it again costs 0.1 s.
    package var cutMin = 48_000
    /// Silence after which the stream restarts although nothing was said: 5 s.
    package var quietInterval = 80_000
    /// How long before the last judged window a restart point lies, so that a speaker who goes on is heard in full.
    package var restartMargin = 4_096
    /// Restart points are whole multiples of this: 20 ms, the length of a packet.
    package var restartGrain = 320

    /// The policy in use.
    package static let standard = SegmentationPolicy()

    /// Creates the standard policy, to be changed.
    package init() {}
}
