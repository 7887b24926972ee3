import HTTPTransport
import Logging
import Synchronization

/// One OpenAI-compatible server: its slots, its breaker, its metrics; shared by the recognisers of all languages.
final class OpenAIServer: Sendable {
    let configuration: OpenAIRecognizerConfiguration
    private let exchange: any HTTPExchanging
    private let logger: Logger
    private let slots: RequestSlots
    private let breaker: Mutex<CircuitBreaker>
    private let metrics = RemoteMetrics()

    init(_ configuration: OpenAIRecognizerConfiguration, exchange: any HTTPExchanging, logger: Logger) {
        self.configuration = configuration
        self.exchange = exchange
        self.logger = logger
        slots = RequestSlots(
            concurrencyMaximum: configuration.concurrencyMaximum, waitingMaximum: configuration.waitingMaximum)
        breaker = Mutex(CircuitBreaker(configuration.breaker))
    }

    /// Returns the text of an utterance.
    func transcribe(_ samples: [Float], language: String?) async throws(RecognitionError) -> String {
        let request = try TranscriptionForm.request(samples, language: language, configuration, boundary: WAVUpload.boundary())
        let ticket = try await admission()
        defer { slots.release() }
        let start = ContinuousClock.now
        do throws(RecognitionError) {
            let text = try TranscriptionForm.text(try await send(request))
            metrics.took(.now - start)
            end(.text, .success, ticket)
            return text
        } catch {
            switch error.code {
            case .cancelled: end(.cancelled, .inconclusive, ticket)
            // It is alive and works; it does not like this audio.
            case .rejectedInput: end(.rejected, .success, ticket)
            default: end(.failed, .failure, ticket)
            }
            throw error
        }
    }

    /// Waits for a slot and asks the breaker, in this order: it may have opened meanwhile.
    private func admission() async throws(RecognitionError) -> CircuitBreaker.Ticket {
        do throws(RecognitionError) {
            try await slots.acquire()
        } catch {
            metrics.ended(error.code == .cancelled ? .cancelled : .shed)
            throw error
        }
        switch breaker.withLock({ $0.admit(now: .now) }) {
        case .admitted(let ticket): return ticket
        case .refused:
            slots.release()
            metrics.ended(.shed)
            throw RecognitionError(
                .unavailable, "the speech-to-text server failed repeatedly and is left alone for now")
        }
    }

    private func send(_ request: HTTPRequest) async throws(RecognitionError) -> HTTPResponse {
        do throws(HTTPTransportError) {
            return try await exchange.send(request)
        } catch {
            throw RecognitionError(
                error.code == .cancelled ? .cancelled : .unavailable,
                "the speech-to-text server cannot be asked: \(error)")
        }
    }

    private func end(
        _ outcome: RemoteMetrics.Outcome, _ report: CircuitBreaker.Outcome, _ ticket: CircuitBreaker.Ticket
    ) {
        metrics.ended(outcome)
        let (before, after) = breaker.withLock { breaker in
            let before = breaker.state(now: .now)
            breaker.report(report, of: ticket, now: .now)
            return (before, breaker.state(now: .now))
        }
        guard before != after else { return }
        metrics.breaker(isOpen: after != .closed)
        logger.warning(
            "speech-to-text server", metadata: ["stt.provider": "\(configuration.model)", "breaker": "\(after)"])
    }
}
