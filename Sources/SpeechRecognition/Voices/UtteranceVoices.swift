/// The voices of an utterance: who speaks when, and how each sounds.
package struct UtteranceVoices: Sendable, Equatable {
    /// Who speaks when.
    package var turns: SpeakerTurns
    /// The voices, in the order in which they are first heard.
    package var voices: [HeardVoice]

    /// Makes a description.
    package init(turns: SpeakerTurns, voices: [HeardVoice]) {
        self.turns = turns
        self.voices = voices
    }

    /// The voices of turns, with what each says alone, at most `VoiceLimits.embeddingMax` samples of it.
    static func solos(of turns: SpeakerTurns, in samples: [Float]) -> [(voice: HeardVoice, audio: [Float])] {
        var found: [(voice: HeardVoice, audio: [Float])] = []
        for (window, stretches) in turns.windows.enumerated() {
            var places: [UInt8: Int] = [:]
            for (index, bits) in stretches.enumerated() {
                for bit in (0..<UInt8(8)) where bits & 1 << bit != 0 && places[bit] == nil {
                    places[bit] = found.count
                    found.append((HeardVoice(window: window, bit: bit, soloCount: 0, embedding: nil), []))
                }
                guard bits.nonzeroBitCount == 1, let place = places[UInt8(bits.trailingZeroBitCount)] else { continue }
                let range = SpeakerTurns.samples(window: window, stretch: index).clamped(to: samples.indices)
                found[place].voice.soloCount += range.count
                if found[place].audio.count < VoiceLimits.embeddingMax { found[place].audio += samples[range] }
            }
        }
        return found
    }
}
