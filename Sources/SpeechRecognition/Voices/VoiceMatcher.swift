package import EarshotModel

/// Recognises speakers among the voices a user has taught.
package struct VoiceMatcher: Sendable {
    private let voices: [KnownVoice]
    private let thresholds: VoiceThresholds

    /// Takes the voices that one engine made; others cannot be compared.
    package init(_ voices: [KnownVoice], engine: String, thresholds: VoiceThresholds) {
        self.voices = voices.filter { $0.engine == engine }
        self.thresholds = thresholds
    }

    /// The taught voice that a speaker is: the most alike, if it is alike enough and enough was heard.
    package func voice(of speaker: ConversationSpeaker) -> KnownVoice? {
        guard speaker.isEvident else { return nil }
        let likenesses = voices.map { speaker.likeness(to: $0.embedding) }
        guard let best = likenesses.indices.max(by: { likenesses[$0] < likenesses[$1] }),
            likenesses[best] > thresholds.same
        else { return nil }
        return voices[best]
    }
}
