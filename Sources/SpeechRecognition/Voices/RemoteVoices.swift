import HTTPTransport
package import Logging
import Synchronization

/// A voice service of the contract: `POST /v2/embedding` with a WAV file in the field `file` (omi.md section 6).
///
/// A service that fails repeatedly is left alone for a while, so that text does not wait for it each time.
package final class RemoteVoices: VoiceEmbedder {
    package let thresholds = VoiceThresholds.remote
    /// Some round trips of a service that is well, one for each voice.
    package let textDelayMax = Duration.seconds(1)
    private let configuration: RemoteVoiceConfiguration
    private let exchange: any HTTPExchanging
    private let transport: HTTPTransport?
    private let slots: RequestSlots
    private let breaker: Mutex<CircuitBreaker>

    /// The name under which its embeddings are kept.
    package var engine: String { configuration.engine }

    /// A service that the operator chose, at any address, over a transport of its own, which `run()` runs.
    ///
    /// - Throws: `HTTPTransportError` with `invalidURL`.
    package convenience init(_ configuration: RemoteVoiceConfiguration, logger: Logger) throws {
        let policy = DestinationPolicy.anyAddress(allowsPlainHTTP: true)
        try policy.check(url: configuration.url)
        let transport = HTTPTransport(HTTPTransportConfiguration(destinations: policy), logger: logger)
        self.init(configuration, exchange: transport, transport: transport)
    }

    init(_ configuration: RemoteVoiceConfiguration, exchange: any HTTPExchanging, transport: HTTPTransport? = nil) {
        self.configuration = configuration
        self.exchange = exchange
        self.transport = transport
        slots = RequestSlots(
            concurrencyMaximum: configuration.concurrencyMaximum, waitingMaximum: configuration.waitingMaximum)
        breaker = Mutex(CircuitBreaker(configuration.breaker))
    }

    /// Runs the transport until the task is cancelled.
    package func run() async { await transport?.run() }

    package func embedding(of samples: [Float]) async throws(RecognitionError) -> [Float] {
        guard samples.count >= VoiceLimits.embeddingMin else {
            throw RecognitionError(
                .rejectedInput,
                "\(samples.count) samples are too little audio for a voice; at least \(VoiceLimits.embeddingMin) are "
                    + "required")
        }
        let request = try request(samples)
        try await slots.acquire()
        defer { slots.release() }
        guard case .admitted(let ticket) = breaker.withLock({ $0.admit(now: .now) }) else {
            throw RecognitionError(.unavailable, "the voice service failed repeatedly and is left alone for now")
        }
        do throws(RecognitionError) {
            let reply = try VoiceServiceReply(try await send(request))
            breaker.withLock { $0.report(.success, of: ticket, now: .now) }
            return reply.embedding
        } catch {
            // Whoever refuses audio is alive; a cancelled request says nothing.
            let outcome: CircuitBreaker.Outcome =
                error.code == .cancelled ? .inconclusive : error.code == .rejectedInput ? .success : .failure
            breaker.withLock { $0.report(outcome, of: ticket, now: .now) }
            throw error
        }
    }

    private func request(_ samples: [Float]) throws(RecognitionError) -> HTTPRequest {
        let upload = try WAVUpload(samples, fileName: "voice.wav", boundary: WAVUpload.boundary())
        var base = Substring(configuration.url)
        while base.last == "/" { base.removeLast() }
        var request = HTTPRequest(.post, base + "/v2/embedding", body: upload.body)
        request.headers = [
            HTTPHeader(name: "Content-Type", value: upload.contentType),
            HTTPHeader(name: "Accept", value: "application/json"),
        ]
        request.totalTimeout = configuration.timeout
        request.responseBytesMaximum = VoiceServiceReply.bytesMaximum
        request.overflow = .fail
        return request
    }

    private func send(_ request: HTTPRequest) async throws(RecognitionError) -> HTTPResponse {
        do throws(HTTPTransportError) {
            return try await exchange.send(request)
        } catch {
            throw RecognitionError(
                error.code == .cancelled ? .cancelled : .unavailable, "the voice service cannot be asked: \(error)")
        }
    }
}
