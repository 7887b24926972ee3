import CoreMetrics
import EarshotModel
package import HTTPTransport
package import Logging

/// Sends signed requests, through the endpoint's gate: the one implementation for events and for live audio.
package struct WebhookSender: Sendable {
    private let transport: any HTTPExchanging
    private let limits: DeliveryLimits
    private let logger: Logger
    /// Which endpoints are well.
    package let gates: EndpointGates

    /// A sender that shares a transport.
    package init(transport: any HTTPExchanging, limits: DeliveryLimits, logger: Logger) {
        self.transport = transport
        self.limits = limits
        self.logger = logger
        gates = EndpointGates(limits: limits)
    }

    /// Makes one attempt; it takes at most the total time-out.
    package func send(_ webhook: OutgoingWebhook) async -> AttemptOutcome {
        let now = WallClock.microseconds
        guard let ticket = gates.begin(webhook.endpoint) else {
            return AttemptOutcome(
                .notSent,
                log: AttemptLog(
                    at: now, milliseconds: 0, error: "the endpoint rests: it failed too often, or asked for it"))
        }
        let start = ContinuousClock.now
        let outcome: AttemptOutcome
        let health: EndpointGate.Outcome
        do throws(HTTPTransportError) {
            let response = try await transport.send(webhook.request(at: now / 1_000_000, limits: limits))
            outcome = read(response, webhook, at: now, took: ContinuousClock.now - start)
            health = outcome.verdict == .delivered ? .success : .failure
        } catch {
            let log = AttemptLog(
                at: now, milliseconds: (ContinuousClock.now - start).milliseconds, status: error.status,
                error: "\(error.code.rawValue): \(error.message)")
            switch error.code {
            case _ where error.isAfterSuccess:
                // The receiver has said that it took it; what it said besides is of no use.
                outcome = AttemptOutcome(.delivered, log: log)
                health = .success
            case .overloaded, .cancelled, .closed:
                // Our own trouble: the delivery keeps its attempts.
                outcome = AttemptOutcome(.notSent, log: log)
                health = .inconclusive
            case .destinationRefused, .invalidURL, .invalidRequest:
                outcome = AttemptOutcome(.failed(retryAfter: nil), log: log)
                health = .inconclusive
                logger.warning(
                    "a destination was refused",
                    metadata: ["endpoint": "\(webhook.endpoint)", "reason": "\(error.message)"])
            default:
                outcome = AttemptOutcome(.failed(retryAfter: nil), log: log)
                health = .failure
            }
        }
        if case .failed(let asked?) = outcome.verdict {
            // Until every process knows: whoever records the attempt, or sends on, keeps the whole of it.
            gates.pause(webhook.endpoint, for: min(asked, limits.endpointPauseMaximum, limits.claimDuration))
        }
        gates.end(webhook.endpoint, health, ticket, concurrency: webhook.concurrency)
        report(outcome, webhook)
        return outcome
    }

    private func read(
        _ response: HTTPResponse, _ webhook: OutgoingWebhook, at now: Int64, took: Duration
    ) -> AttemptOutcome {
        var log = AttemptLog(
            at: now, milliseconds: took.milliseconds, status: response.status, remote: response.remoteAddress,
            response: ResponseExcerpt.text(
                of: response.body, withholding: webhook.secrets, charactersMaximum: limits.responseExcerptMaximum))
        switch response.status {
        case 200..<300: return AttemptOutcome(.delivered, log: log, body: response.body)
        case 410:
            log.error = "410 Gone"
            return AttemptOutcome(.gone, log: log)
        case 429, 503:
            log.error = "status \(response.status)"
            let asked = response.header("Retry-After").flatMap { RetryAfter.parse($0, now: now / 1_000_000) }
            return AttemptOutcome(.failed(retryAfter: asked), log: log)
        case 300..<400: log.error = "status \(response.status); redirects are not followed"
        default: log.error = "status \(response.status)"
        }
        return AttemptOutcome(.failed(retryAfter: nil), log: log)
    }

    private func report(_ outcome: AttemptOutcome, _ webhook: OutgoingWebhook) {
        let result =
            switch outcome.verdict {
            case .delivered: "delivered"
            case .failed: "failed"
            case .gone: "gone"
            case .notSent: "not_sent"
            }
        Counter(label: "webhook.attempts", dimensions: [("result", result)]).increment()
        Timer(label: "webhook.attempt.duration").recordMilliseconds(outcome.log.milliseconds)
        logger.debug(
            "an attempt",
            metadata: [
                "endpoint": "\(webhook.endpoint)", "webhook.id": "\(webhook.id)",
                "status": "\(outcome.log.status.map(String.init) ?? "none")", "ms": "\(outcome.log.milliseconds)",
                "error": "\(outcome.log.error ?? "")",
            ])
    }
}

extension HTTPTransportError {
    /// Whether the status was a success, and only what came behind it was no good.
    fileprivate var isAfterSuccess: Bool {
        [.malformedResponse, .connectionLost, .responseTooLarge].contains(code) && (200..<300).contains(status ?? 0)
    }
}
