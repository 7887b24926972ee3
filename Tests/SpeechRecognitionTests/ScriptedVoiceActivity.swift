import SpeechRecognition

/// A model that reads the probability off the samples: each window says itself how probable it is.
struct ScriptedVoiceActivity: VoiceActivityModel {
    struct Stream: VoiceActivityStream {
        mutating func probability(of window: ArraySlice<Float>) throws(RecognitionError) -> Float {
            let probability = abs(window[window.startIndex])
            if probability == Self.failing { throw RecognitionError(.unavailable, "scripted failure") }
            return probability
        }

        static let failing: Float = 0.987
    }

    func makeStream() -> any VoiceActivityStream { Stream() }

    /// Samples of windows with the given probabilities.
    static func samples(_ script: [(probability: Float, windows: Int)]) -> [Float] {
        script.flatMap { [Float](repeating: $0.probability, count: $0.windows * SegmentationPolicy.windowCount) }
    }
}
