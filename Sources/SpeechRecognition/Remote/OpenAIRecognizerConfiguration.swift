package import HTTPTransport

/// Where an OpenAI-compatible speech-to-text server is, and how much is asked of it.
package struct OpenAIRecognizerConfiguration: Sendable, CustomStringConvertible {
    /// The server's URL without `/v1/audio/transcriptions`.
    package var url: String
    /// Sent as a bearer token; secret.
    package var key: String?
    /// The model asked for, and the name in a segment's `stt_provider`.
    package var model: String
    /// Time for one utterance, the queue excluded.
    package var timeout: Duration = .seconds(15)
    /// Requests under way: servers on one GPU batch about this many.
    package var concurrencyMaximum = 8
    /// Utterances that wait for a free request; more are refused at once, so that the embedded engine takes them.
    package var waitingMaximum = 64
    /// When the server is left alone for a while.
    package var breaker = CircuitBreaker.Policy()

    /// Names the server with the default limits.
    package init(url: String, key: String? = nil, model: String = "whisper-1") {
        self.url = url
        self.key = key
        self.model = model
    }

    /// Where and what, without the key.
    package var description: String { "\(model) at \(url)" }

    /// The URL requests go to.
    ///
    /// - Throws: `RecognitionError` with `rejectedInput` when the URL is no base for a path.
    func endpoint() throws(RecognitionError) -> String {
        var base = Substring(url)
        while base.last == "/" { base.removeLast() }
        // The way the vendor's own libraries write it.
        if base.hasSuffix("/v1") { base.removeLast(3) }
        guard !base.contains("?"), !base.contains("#") else {
            throw RecognitionError(
                .rejectedInput, "the speech-to-text URL must have no query and no fragment, as in https://HOST/PATH")
        }
        return base + "/v1/audio/transcriptions"
    }
}
