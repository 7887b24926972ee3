/// How one process spaces its requests with live audio to an endpoint.
///
/// So many at once, so many a second, and none while its receiver asked to be left alone. No I/O and no clock of its
/// own.
struct EndpointPace {
    /// Whether a request may start.
    enum Verdict: Equatable {
        case now
        case at(ContinuousClock.Instant)
        /// When one under way ends.
        case later
    }

    /// Seconds of its rate that an endpoint may get at once after a rest, as for events.
    private static let burstSeconds = 1

    private var inFlight = 0
    /// Before this the next request would exceed the rate (a leaky bucket, GCRA).
    private var nextAt: ContinuousClock.Instant
    private var pausedUntil: ContinuousClock.Instant

    init(now: ContinuousClock.Instant) {
        nextAt = now
        pausedUntil = now
    }

    /// Whether nothing has to be remembered of the endpoint.
    func isIdle(now: ContinuousClock.Instant) -> Bool { inFlight == 0 && nextAt <= now && pausedUntil <= now }

    func verdict(concurrency: Int, rate: Int, now: ContinuousClock.Instant) -> Verdict {
        guard inFlight < concurrency else { return .later }
        let burst = Self.interval(rate) * (Self.burstSeconds * max(1, rate) - 1)
        let earliest = max(nextAt - burst, pausedUntil)
        return earliest <= now ? .now : .at(earliest)
    }

    mutating func begin(rate: Int, now: ContinuousClock.Instant) {
        inFlight += 1
        nextAt = max(nextAt, now) + Self.interval(rate)
    }

    mutating func end() { inFlight = max(0, inFlight - 1) }

    mutating func pause(until instant: ContinuousClock.Instant) { pausedUntil = max(pausedUntil, instant) }

    private static func interval(_ rate: Int) -> Duration { .seconds(1) / max(1, rate) }
}
