import HTTPTransport
package import Logging

/// A remote recogniser with the languages that go to it, and the transport that reaches it.
package struct RemoteSpeech: Sendable {
    /// The recogniser.
    package let recognizer: OpenAIRecognizer
    /// The primary subtags that go to it; nil for all.
    private let languages: Set<String>?
    private let transport: HTTPTransport?

    /// A server that the operator chose, at any address, over a transport of its own.
    ///
    /// - Parameters:
    ///   - configuration: The server.
    ///   - languages: The languages (BCP-47 tags, `multi`) that go to it; empty means all.
    ///   - logger: Hears when the server is given up and when it is back.
    /// - Throws: `HTTPTransportError` with `invalidURL`, `RecognitionError` when the URL is no base for a path.
    package init(_ configuration: OpenAIRecognizerConfiguration, languages: [String], logger: Logger) throws {
        let policy = DestinationPolicy.anyAddress(allowsPlainHTTP: true)
        try policy.check(url: configuration.url)
        let transport = HTTPTransport(HTTPTransportConfiguration(destinations: policy), logger: logger)
        self.init(
            try OpenAIRecognizer(configuration, exchange: transport, logger: logger), languages: languages,
            transport: transport)
    }

    init(_ recognizer: OpenAIRecognizer, languages: [String], transport: HTTPTransport? = nil) {
        self.recognizer = recognizer
        self.languages = languages.isEmpty ? nil : Set(languages.map(RecognizerSelection.primary))
        self.transport = transport
    }

    /// Runs the transport until the task is cancelled.
    package func run() async {
        await transport?.run()
    }

    /// Whether sessions of a language go to it.
    func hears(_ language: String) -> Bool {
        languages?.contains(RecognizerSelection.primary(language)) ?? true
    }
}
