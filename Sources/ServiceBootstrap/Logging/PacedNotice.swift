import Synchronization

/// Says when it is time to log what lasts: at once, and then now and again.
package final class PacedNotice: Sendable {
    private let interval: Duration
    private let last = Mutex<ContinuousClock.Instant?>(nil)

    /// A notice that is due at once, and again after each `interval`.
    package init(every interval: Duration = .seconds(15)) { self.interval = interval }

    /// Whether it is due; whoever gets true says it.
    package func isDue(at now: ContinuousClock.Instant = .now) -> Bool {
        last.withLock { last in
            if let last, last.duration(to: now) < interval { return false }
            last = now
            return true
        }
    }
}
