/// What one request came to.
package struct AttemptOutcome: Sendable {
    /// What the answer means for the delivery.
    package enum Verdict: Equatable, Sendable {
        /// Any 2xx.
        case delivered
        /// Anything else; the time a receiver asked for with 429 or 503.
        case failed(retryAfter: Duration?)
        /// 410: the receiver is gone for good.
        case gone
        /// The endpoint is left alone for now; nothing was sent.
        case notSent
    }

    package var verdict: Verdict
    package var log: AttemptLog
    /// The answer's body, for dialects that read it.
    package var body: [UInt8]

    /// Makes an outcome.
    package init(_ verdict: Verdict, log: AttemptLog, body: [UInt8] = []) {
        self.verdict = verdict
        self.log = log
        self.body = body
    }
}
