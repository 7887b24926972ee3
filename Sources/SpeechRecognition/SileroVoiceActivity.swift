package import SpeechEngine

/// Voice activity by the Silero model of the speech engine; about 0.1 ms of CPU a window.
package struct SileroVoiceActivity: VoiceActivityModel {
    private struct Stream: VoiceActivityStream {
        let model: SileroModel
        var state = SileroState()

        mutating func probability(of window: ArraySlice<Float>) throws(RecognitionError) -> Float {
            do throws(SpeechEngineError) {
                return try model.probability(window, state: &state)
            } catch {
                throw RecognitionError(.unavailable, "voice activity failed: \(error.message)")
            }
        }
    }

    private let model: SileroModel

    /// Creates it on a loaded model, which all streams share.
    package init(_ model: SileroModel) {
        self.model = model
    }

    /// Returns the judge of a new stream, which has heard nothing.
    package func makeStream() -> any VoiceActivityStream {
        Stream(model: model)
    }
}
