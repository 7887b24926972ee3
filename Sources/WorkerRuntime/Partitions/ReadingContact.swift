package import EarshotModel
import Synchronization

/// What the reader knows of the streams: since when they have been read without a break, and until when.
///
/// While Redis is away nothing can be said about a lane: that time is not quiet, and neither is the time behind it in
/// which gateways come back. One a worker, as all its partitions are read in one call.
package final class ReadingContact: Sendable {
    private struct State {
        var since: ContinuousClock.Instant
        var until: ContinuousClock.Instant
        var isBroken = false
    }

    private let gapMaximum: Duration
    private let gatewayReturn: Duration
    private let state: Mutex<State>

    /// Reading begins; calls that return within the longest blocking read and a second more are without a break.
    package init(limits: Limits, at now: ContinuousClock.Instant = .now) {
        gapMaximum = limits.readBlock + .seconds(1)
        gatewayReturn = limits.gatewayReturn
        state = Mutex(State(since: now, until: now))
    }

    /// A read returned, with entries or without.
    package func answered(at now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            if state.isBroken || now - state.until > gapMaximum { state.since = now + gatewayReturn }
            state.until = now
            state.isBroken = false
        }
    }

    /// A read failed.
    package func broke() { state.withLock { $0.isBroken = true } }

    /// How long it has been seen that nothing came since an instant.
    package func quiet(since instant: ContinuousClock.Instant) -> Duration {
        state.withLock { max(.zero, $0.until - max(instant, $0.since)) }
    }
}
