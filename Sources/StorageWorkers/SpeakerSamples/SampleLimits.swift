/// The bounds of learning a voice (omi.md section 6); tests shorten the clocks.
package struct SampleLimits: Sendable {
    /// A request waits this long: the audio of its segments is stored in parts of a minute, and people correct
    /// themselves.
    package var age: Duration = .seconds(120)
    /// Requests that are old enough are handled at whole multiples of this.
    package var scanInterval: Duration = .seconds(15)
    /// Requests a partition holds waiting; beyond it the oldest is handled early.
    ///
    /// 1 KB each.
    package var pendingMaximum = 1_000
    /// A request whose audio cannot be had yet goes behind the others, and is tried again after this: so long may it
    /// hold them up, and so much delay is nothing beside the age.
    package var retryInterval: Duration = .seconds(60)
    /// A request waits so long for its audio to be stored, and for a store that fails: longer than any outage that is
    /// being mended, shorter than the registry remembers sessions.
    package var audioWaitMaximum: Duration = .seconds(23 * 3_600)
    /// A request waits so long for a conversation or segments that the record does not have: it may be behind.
    package var recordWaitMaximum: Duration = .seconds(600)

    /// Speech in a sample, in seconds.
    package var speech = 10.0...30.0
    /// A clip of it, in seconds; a longer segment becomes several.
    package var clip = 1.0...10.0
    /// Clips in a sample.
    package var clipsMaximum = 12
    /// Segments looked at for one request, longest first.
    package var candidatesMaximum = 200
    /// Seconds by which segments of others may overlap: the rounding of their times.
    package var overlapMaximum = 0.1

    /// Words that must be understood in a sample.
    package var wordsMinimum = 5
    /// Share of words that must be those of the segments.
    package var likenessMinimum = 0.6
    /// Share of the sample that must be one voice.
    package var dominanceMinimum = 0.7
    /// Audio that is compared as one piece: 2 s at 16 kHz, which is what telling voices apart takes.
    package var windowCount = 32_000

    /// The numbers a fleet runs with.
    package init() {}
}
