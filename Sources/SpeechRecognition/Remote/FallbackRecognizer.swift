import CoreMetrics

/// Asks a preferred recogniser, and another one whenever that fails, so that text still comes.
package struct FallbackRecognizer: SpeechRecognizer {
    private let preferred: any SpeechRecognizer
    private let fallback: any SpeechRecognizer
    private let unavailable = Counter(label: "stt.fallbacks", dimensions: [("reason", "unavailable")])
    private let rejected = Counter(label: "stt.fallbacks", dimensions: [("reason", "rejected")])

    /// Interims are the fallback's business: they must be cheap.
    package init(_ preferred: any SpeechRecognizer, fallback: any SpeechRecognizer) {
        self.preferred = preferred
        self.fallback = fallback
    }

    package var name: String { preferred.name }

    package func transcribe(
        _ samples: [Float], priority: RecognitionPriority
    ) async throws(RecognitionError) -> String {
        try await recognize(samples, priority: priority).text
    }

    package func recognize(
        _ samples: [Float], priority: RecognitionPriority
    ) async throws(RecognitionError) -> RecognizedText {
        guard priority.kind == .final else { return try await fallback.recognize(samples, priority: priority) }
        do throws(RecognitionError) {
            return try await preferred.recognize(samples, priority: priority)
        } catch {
            guard error.code != .cancelled else { throw error }
            (error.code == .rejectedInput ? rejected : unavailable).increment()
            return try await fallback.recognize(samples, priority: priority)
        }
    }
}
