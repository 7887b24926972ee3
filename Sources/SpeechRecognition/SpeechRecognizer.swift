/// Turns the audio of an utterance into text.
package protocol SpeechRecognizer: Sendable {
    /// The engine's name, as it stands in a segment's `stt_provider`.
    var name: String { get }

    /// Returns the text of one utterance; empty if nothing was understood.
    ///
    /// - Parameters:
    ///   - samples: Mono audio at 16 kHz, at most 30 s.
    ///   - priority: Finals go first; interims may be dropped.
    /// - Returns: The text, with case and punctuation.
    /// - Throws: `RecognitionError`; its code says what to do next.
    func transcribe(_ samples: [Float], priority: RecognitionPriority) async throws(RecognitionError) -> String

    /// The same, with the engine that was used: a recogniser may have several.
    func recognize(
        _ samples: [Float], priority: RecognitionPriority
    ) async throws(RecognitionError) -> RecognizedText
}

extension SpeechRecognizer {
    /// Transcribes with the one engine there is.
    package func recognize(
        _ samples: [Float], priority: RecognitionPriority
    ) async throws(RecognitionError) -> RecognizedText {
        RecognizedText(text: try await transcribe(samples, priority: priority), provider: name)
    }
}
