/// The bounds of telling voices apart; lengths are samples at 16 kHz.
package enum VoiceLimits {
    /// Voiced audio that shows whose voice it is: 2 s.
    ///
    /// Less never makes nor names a speaker on its own.
    package static let evidence = 32_000
    /// Voiced audio that is enough to be a further speaker when the turn model tells two apart that are clearly unlike:
    /// 1 s.
    package static let evidenceBeside = 16_000
    /// The least audio an engine takes: 0.5 s (omi.md section 6).
    package static let embeddingMin = 8_000
    /// Of a longer turn only so much is given to the engine: 4 s, which cost 0.12 s of CPU and tell voices apart as
    /// well as more does.
    package static let embeddingMax = 64_000
    /// A shorter utterance is one turn: looking for others would cost more than the recognition of its text.
    package static let turnSearchMin = 32_000
    /// A shorter turn, 0.4 s, is a word thrown in: it stays in the turn around it, because it would not be recognised.
    package static let turnMin = 6_400
    /// Speakers of one conversation; whoever comes later is the one most alike.
    ///
    /// Each adds 0.3 KB to every commit.
    package static let speakersMaximum = 8
    /// Voiced audio after which a speaker's mean moves no slower, in tenths of a second: a minute.
    package static let weightMaximum = 600
    /// Numbers of an embedding; real engines have 192 to 512.
    package static let dimensionsMaximum = 1_024
}
