import SpeechRecognition

/// Two voices that differ in how loud they are.
struct LoudnessVoices: VoiceEmbedder, TurnFinder {
    let engine = "loudness"
    let thresholds = VoiceThresholds.embedded
    var isBroken = false
    /// How long turns take to be found.
    var delay = Duration.zero
    /// Nobody is late in a test that is not about it, whatever else the machine does.
    var textDelayMax = Duration.seconds(60)

    static let soft: [Float] = [1, 0]
    static let loud: [Float] = [0, 1]

    func embedding(of samples: [Float]) async throws(RecognitionError) -> [Float] {
        if isBroken { throw RecognitionError(.unavailable, "broken") }
        return Self.isLoud(samples[...]) ? Self.loud : Self.soft
    }

    func turns(in samples: [Float]) async throws(RecognitionError) -> SpeakerTurns {
        if delay > .zero {
            do {
                try await ContinuousClock().sleep(for: delay)
            } catch {
                throw RecognitionError(.cancelled, "cancelled")
            }
        }
        return SpeakerTurns(
            windows: stride(from: 0, to: samples.count, by: SpeakerTurns.windowCount).map { start in
                let window = samples[start..<min(start + SpeakerTurns.windowCount, samples.count)]
                return stride(from: window.startIndex, to: window.endIndex, by: SpeakerTurns.stretch).map { place in
                    let stretch = window[place..<min(place + SpeakerTurns.stretch, window.endIndex)]
                    return Self.strength(stretch) < 0.05 ? 0 : Self.isLoud(stretch) ? 2 : 1
                }
            })
    }

    private static func isLoud(_ samples: ArraySlice<Float>) -> Bool { strength(samples) > 0.17 }

    private static func strength(_ samples: ArraySlice<Float>) -> Float {
        samples.reduce(0) { $0 + abs($1) } / Float(max(samples.count, 1))
    }
}
