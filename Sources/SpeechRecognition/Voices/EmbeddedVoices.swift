package import SpeechEngine

/// The voice models of the embedded engine, on a recogniser's threads.
package struct EmbeddedVoices: VoiceEmbedder, TurnFinder {
    package let engine = SpeakerEmbedder.modelName
    package let thresholds = VoiceThresholds.embedded
    private let recognizer: EmbeddedRecognizer
    private let embedder: SpeakerEmbedder
    private let turnModel: SpeakerTurnModel

    /// Loads the models, which all threads share; blocks for less than 0.1 s.
    ///
    /// - Throws: `SpeechEngineError` with `libraryFailure`.
    package init(_ library: SpeechEngineLibrary, on recognizer: EmbeddedRecognizer) throws(SpeechEngineError) {
        self.recognizer = recognizer
        embedder = try SpeakerEmbedder(library)
        turnModel = try SpeakerTurnModel(library)
    }

    package func embedding(of samples: [Float]) async throws(RecognitionError) -> [Float] {
        let embedder = embedder
        let answer = try await recognizer.perform(samples) { (samples) throws(RecognitionError) in
            .embedding(try Self.translated { () throws(SpeechEngineError) in try embedder.embedding(of: samples) })
        }
        guard case .embedding(let embedding) = answer else { return [] }
        return embedding
    }

    package func turns(in samples: [Float]) async throws(RecognitionError) -> SpeakerTurns {
        let model = turnModel
        let answer = try await recognizer.perform(samples) { (samples) throws(RecognitionError) in
            var windows: [[UInt8]] = []
            for start in stride(from: 0, to: samples.count, by: SpeakerTurns.windowCount) {
                let window = samples[start..<min(start + SpeakerTurns.windowCount, samples.count)]
                windows.append(
                    try Self.translated { () throws(SpeechEngineError) in try model.activity(in: window) })
            }
            return .turns(SpeakerTurns(windows: windows))
        }
        guard case .turns(let turns) = answer else { return SpeakerTurns(oneVoice: samples.count) }
        return turns
    }

    private static func translated<Value>(
        _ body: () throws(SpeechEngineError) -> Value
    ) throws(RecognitionError) -> Value {
        do throws(SpeechEngineError) {
            return try body()
        } catch {
            throw RecognitionError(error.code == .invalidAudio ? .rejectedInput : .unavailable, error.message)
        }
    }
}
