/// A stretch of speech cut out of a stream; positions are 16 kHz samples since the segmenter's first.
package struct Utterance: Sendable, Equatable {
    /// The audio from `start` to `end`: the speech with some silence around it, at most 30 s.
    package let samples: [Float]
    /// The position of the first sample.
    package let start: Int
    /// The position after the last sample.
    package let end: Int
    /// Where speech was heard, within `start` and `end`.
    ///
    /// Silence is measured from its upper bound.
    package let speech: Range<Int>
}
