package import HTTPTransport

/// What one process thinks of an endpoint's health: how many requests it may get at once, or none for a while.
///
/// A circuit breaker with a slow start, without I/O or a clock of its own: an endpoint that hangs gets one or two
/// requests before it is known, not as many as there are slots.
package struct EndpointGate: Sendable {
    /// How a request ended, as far as it says something about the endpoint.
    package enum Outcome: Sendable {
        case success
        case failure
        /// It was not sent, or our own policy refused it.
        case inconclusive
    }

    private var breaker: CircuitBreaker
    private let initialWindow: Int
    private var window: Int
    /// The receiver asked to be left alone until then.
    private var pausedUntil: ContinuousClock.Instant?
    /// Requests under way.
    package private(set) var inFlight = 0
    /// Whether its last request succeeded: it may be slow, but it answers.
    package private(set) var isProven = false
    /// When it was used last, so that idle gates can be forgotten.
    package private(set) var lastUse: ContinuousClock.Instant

    /// A gate for an endpoint nobody knows yet.
    package init(_ limits: DeliveryLimits, now: ContinuousClock.Instant) {
        var policy = CircuitBreaker.Policy()
        policy.failuresMaximum = limits.breakerFailures
        policy.openDuration = limits.breakerPause
        policy.openDurationMaximum = limits.breakerPauseMaximum
        policy.trialDuration = limits.claimDuration
        breaker = CircuitBreaker(policy)
        initialWindow = limits.initialConcurrency
        window = limits.initialConcurrency
        lastUse = now
    }

    /// Requests that may start now.
    package func allowance(now: ContinuousClock.Instant) -> Int {
        if let pausedUntil, now < pausedUntil { return 0 }
        return switch breaker.state(now: now) {
        case .closed: max(0, window - inFlight)
        case .open: 0
        case .halfOpen: inFlight == 0 ? 1 : 0
        }
    }

    /// When an endpoint that is left alone may be probed; `nil` when it is not left alone.
    package func opensAt(now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let pause = pausedUntil.flatMap { now < $0 ? $0 : nil }
        guard breaker.state(now: now) == .open else { return pause }
        var copy = breaker
        if case .refused(let until) = copy.admit(now: now) { return max(until, pause ?? until) }
        return pause
    }

    /// Leaves the endpoint alone for as long as its receiver asked.
    package mutating func pause(until instant: ContinuousClock.Instant) {
        pausedUntil = max(instant, pausedUntil ?? instant)
    }

    /// Starts a request; `nil` when the endpoint is left alone.
    package mutating func begin(now: ContinuousClock.Instant) -> CircuitBreaker.Ticket? {
        lastUse = now
        if let pausedUntil, now < pausedUntil { return nil }
        guard case .admitted(let ticket) = breaker.admit(now: now) else { return nil }
        inFlight += 1
        return ticket
    }

    /// A request ended.
    ///
    /// - Parameters:
    ///   - outcome: What it says about the endpoint.
    ///   - ticket: What `begin` gave.
    ///   - concurrency: The endpoint's setting, up to which successes widen its window.
    ///   - now: The instant.
    package mutating func end(
        _ outcome: Outcome, _ ticket: CircuitBreaker.Ticket, concurrency: Int, now: ContinuousClock.Instant
    ) {
        inFlight = max(0, inFlight - 1)
        switch outcome {
        case .success:
            window = min(max(1, concurrency), max(window * 2, initialWindow))
            isProven = true
            breaker.report(.success, of: ticket, now: now)
        case .failure:
            window = 1
            isProven = false
            breaker.report(.failure, of: ticket, now: now)
        case .inconclusive: breaker.report(.inconclusive, of: ticket, now: now)
        }
    }
}
