package import HTTPTransport
package import Logging

/// Speech to text by an OpenAI-compatible server: `POST /v1/audio/transcriptions`.
///
/// Requests under way and waiting are bounded, each has a time-out, and after failures in a row the server is left
/// alone for a while. It gives no interims: those would send, and pay for, the same audio again and again.
package struct OpenAIRecognizer: SpeechRecognizer {
    private let server: OpenAIServer
    private let language: String?

    /// A recogniser of a server.
    ///
    /// - Parameters:
    ///   - configuration: The server.
    ///   - exchange: How it is reached; the caller runs it.
    ///   - logger: Hears when the server is given up and when it is back.
    /// - Throws: `RecognitionError` with `rejectedInput` when the URL is no base for a path.
    package init(
        _ configuration: OpenAIRecognizerConfiguration, exchange: any HTTPExchanging, logger: Logger
    ) throws(RecognitionError) {
        _ = try configuration.endpoint()
        server = OpenAIServer(configuration, exchange: exchange, logger: logger)
        language = nil
    }

    private init(server: OpenAIServer, language: String?) {
        self.server = server
        self.language = language
    }

    package var name: String { server.configuration.model }

    /// The same server, told that it hears this language (a BCP-47 tag, or `multi`).
    package func hearing(_ language: String) -> OpenAIRecognizer {
        OpenAIRecognizer(server: server, language: TranscriptionForm.language(language))
    }

    package func transcribe(
        _ samples: [Float], priority: RecognitionPriority
    ) async throws(RecognitionError) -> String {
        guard priority.kind == .final else {
            throw RecognitionError(.superseded, "a remote recogniser gives no interims")
        }
        return try await server.transcribe(samples, language: language)
    }
}
