/// What one speaker says of an utterance, up to the next speaker's turn; positions are samples of the utterance.
package struct SpeakerPiece: Sendable, Equatable {
    /// The speaker's number.
    package var speaker: Int
    /// The audio to recognise.
    package var samples: Range<Int>
    /// From the first to the last word.
    package var speech: Range<Int>
}

extension SpeakerPiece {
    /// All of an utterance.
    package init(whole utterance: Utterance, speaker: Int) {
        self.speaker = speaker
        samples = utterance.samples.indices
        speech = utterance.speech.lowerBound - utterance.start..<utterance.speech.upperBound - utterance.start
    }
}

extension UtteranceVoices {
    /// Divides an utterance where the speaker changes; positions are counted from its first sample.
    ///
    /// - Parameters:
    ///   - numbers: The speaker of each voice.
    ///   - utterance: The utterance.
    /// - Returns: At least one piece; together they hold every sample once.
    package func pieces(_ numbers: [Int], of utterance: Utterance) -> [SpeakerPiece] {
        let whole = SpeakerPiece(whole: utterance, speaker: numbers.first ?? 0)
        return pieces(numbers, sampleCount: whole.samples.count, speech: whole.speech)
    }

    /// Divides an utterance where the speaker changes.
    ///
    /// Who speaks goes on until silent, whoever joins in; a turn shorter than `VoiceLimits.turnMin` belongs to the one
    /// before. In a pause between two speakers the cut is in the middle.
    ///
    /// - Parameters:
    ///   - numbers: The speaker of each voice.
    ///   - sampleCount: The utterance's length.
    ///   - speech: Where speech was heard in it.
    /// - Returns: At least one piece; together they hold every sample once.
    func pieces(_ numbers: [Int], sampleCount: Int, speech: Range<Int>) -> [SpeakerPiece] {
        var runs: [SpeakerPiece] = []
        for run in stretches(numbers) where run.speech.count >= VoiceLimits.turnMin {
            let range = run.speech.clamped(to: 0..<sampleCount)
            if runs.last?.speaker == run.speaker {
                runs[runs.count - 1].speech = runs[runs.count - 1].speech.lowerBound..<range.upperBound
            } else {
                runs.append(SpeakerPiece(speaker: run.speaker, samples: range, speech: range))
            }
        }
        guard runs.count > 1 else {
            let speaker = runs.first?.speaker ?? numbers.first ?? 0
            return [SpeakerPiece(speaker: speaker, samples: 0..<sampleCount, speech: speech)]
        }
        for index in runs.indices.dropLast() {
            let cut = (runs[index].speech.upperBound + runs[index + 1].speech.lowerBound) / 2
            runs[index].samples = runs[index].samples.lowerBound..<cut
            runs[index + 1].samples = cut..<runs[index + 1].samples.upperBound
        }
        // The voice activity heard the beginning and the end, too, and is better at both.
        let last = runs.count - 1
        runs[0].samples = 0..<runs[0].samples.upperBound
        runs[0].speech = min(speech.lowerBound, runs[0].speech.upperBound)..<runs[0].speech.upperBound
        runs[last].samples = runs[last].samples.lowerBound..<sampleCount
        runs[last].speech = runs[last].speech.lowerBound..<max(speech.upperBound, runs[last].speech.lowerBound)
        return runs
    }

    /// Stretches of one speaker, in order.
    private func stretches(_ numbers: [Int]) -> [SpeakerPiece] {
        var speakers: [Int: [UInt8: Int]] = [:]
        for (voice, number) in zip(voices, numbers) { speakers[voice.window, default: [:]][voice.bit] = number }
        var runs: [SpeakerPiece] = []
        for (window, stretches) in turns.windows.enumerated() {
            for (index, bits) in stretches.enumerated() {
                let speaking = (0..<UInt8(8)).compactMap { bits & 1 << $0 != 0 ? speakers[window]?[$0] : nil }
                let range = SpeakerTurns.samples(window: window, stretch: index)
                let current = runs.last.flatMap { $0.speech.upperBound == range.lowerBound ? $0.speaker : nil }
                guard let speaker = speaking.first(where: { $0 == current }) ?? speaking.first else { continue }
                if speaker == current {
                    runs[runs.count - 1].speech = runs[runs.count - 1].speech.lowerBound..<range.upperBound
                } else {
                    runs.append(SpeakerPiece(speaker: speaker, samples: range, speech: range))
                }
            }
        }
        return runs
    }
}
