/// The speakers of one conversation, told apart as they speak: decisions only, the same on every machine that hears the
/// same embeddings.
///
/// A voice that is more alike to a speaker than `same` is that speaker, and moves the speaker's mean. Less alike than
/// `further` to all, with 2 s of voiced audio, it is the next speaker. Everything else (too short, or in between) is
/// the speaker most alike, whose mean stays. What the turn model tells apart within 10 s stays apart, unless it is more
/// alike than `same`: a further speaker needs 1 s there if it is less alike than `further`, else 2 s, because 1 s of
/// one voice may be as unlike itself as that. The first voice is the first speaker however short; until 2 s of a
/// speaker were heard, whoever is not `different` is that speaker and moves its mean.
package struct SpeakerClusters: Sendable, Equatable {
    /// The speakers, by their numbers.
    package private(set) var speakers: [ConversationSpeaker] = []
    /// Who spoke last.
    package private(set) var last = 0

    private static let version: UInt8 = 1

    /// A conversation in which nobody has spoken.
    package init() {}

    /// Says who the voices of an utterance are, and learns from them.
    ///
    /// - Parameters:
    ///   - voices: The voices, in the order in which they are heard.
    ///   - thresholds: The engine's.
    /// - Returns: A speaker's number for each voice.
    package mutating func assign(_ voices: [HeardVoice], _ thresholds: VoiceThresholds) -> [Int] {
        var numbers: [Int] = []
        for (index, voice) in voices.enumerated() {
            let beside = (0..<index).filter { voices[$0].window == voice.window }.map { numbers[$0] }
            last = number(of: voice, apartFrom: Set(beside), thresholds)
            numbers.append(last)
        }
        return numbers
    }

    private mutating func number(
        of voice: HeardVoice, apartFrom beside: Set<Int>, _ thresholds: VoiceThresholds
    ) -> Int {
        guard let embedding = voice.embedding else { return last }
        let likenesses = speakers.map { $0.likeness(to: embedding) }
        let all = Array(likenesses.indices)
        let best = all.max { likenesses[$0] < likenesses[$1] }
        if let best, likenesses[best] > thresholds.same {
            speakers[best].learn(embedding, sampleCount: voice.soloCount)
            return best
        }
        let nearest = all.filter { !beside.contains($0) }.max { likenesses[$0] < likenesses[$1] }
        if let nearest {
            let isEvident = speakers[nearest].isEvident
            if likenesses[nearest] >= (isEvident ? thresholds.further : thresholds.different) {
                if !isEvident { speakers[nearest].learn(embedding, sampleCount: voice.soloCount) }
                return nearest
            }
        }
        let isUnlike = best.map { likenesses[$0] < thresholds.further } ?? true
        let isToldApart = !beside.isEmpty && isUnlike
        let evidence =
            speakers.isEmpty ? 0 : isToldApart ? VoiceLimits.evidenceBeside : VoiceLimits.evidence
        guard voice.soloCount >= evidence, speakers.count < VoiceLimits.speakersMaximum else {
            return best ?? last
        }
        speakers.append(ConversationSpeaker(embedding, sampleCount: voice.soloCount))
        return speakers.count - 1
    }

    /// Notes that the device was told whom a speaker was recognised as.
    package mutating func suggested(_ person: String, for speaker: Int) {
        guard speakers.indices.contains(speaker) else { return }
        speakers[speaker].suggestion = ConversationSpeaker.mark(of: person)
    }

    /// The same speakers for another session of the conversation, whose device was not told of anybody.
    package var continued: SpeakerClusters {
        var next = self
        for speaker in next.speakers.indices { next.speakers[speaker].suggestion = 0 }
        return next
    }

    // MARK: What a commit carries

    /// The state in at most 8.3 KB, of which 2.2 with the embedded engine; empty while there are no speakers.
    package var encoded: [UInt8] {
        guard !speakers.isEmpty else { return [] }
        return [Self.version, UInt8(last), UInt8(speakers.count)] + speakers.flatMap(\.encoded)
    }

    /// Reads a state; one of another version or none at all is a conversation in which nobody has spoken.
    package init(decoding bytes: some Collection<UInt8>) {
        var rest = ArraySlice(Array(bytes))
        guard rest.popFirst() == Self.version, let last = rest.popFirst(), let count = rest.popFirst() else { return }
        var speakers: [ConversationSpeaker] = []
        for _ in 0..<count {
            guard let speaker = ConversationSpeaker(decoding: &rest) else { return }
            speakers.append(speaker)
        }
        guard speakers.count <= VoiceLimits.speakersMaximum, last < speakers.count else { return }
        self.speakers = speakers
        self.last = Int(last)
    }
}
