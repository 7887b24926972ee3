package import EarshotModel

/// How many of a loop's sessions are to be closed by when, so that those who reconnect do not storm the others.
package struct DrainSchedule: Sendable {
    /// Sessions of the loop.
    package let count: Int
    /// The time over which they are closed.
    package let window: Duration
    private let restartSpread: Duration

    /// The schedule of a loop with so many of the process' sessions.
    package init(count: Int, of total: Int, limits: Limits) {
        self.count = count
        window = max(limits.tick, min(limits.drainWindow, limits.drainSpacing * max(count, total)))
        restartSpread = limits.restartSpread
    }

    /// Sessions that are to be closed after so much time: evenly, and all of them at the end of the window.
    package func due(after elapsed: Duration) -> Int {
        guard elapsed < window else { return count }
        return Int(Double(count) * max(0, elapsed / window))
    }

    /// When the device of the session that is closed as the nth, from 0, comes again: at the pace of the schedule, also
    /// when this process was held up and closed many at once.
    package func comesAgain(_ index: Int) -> Duration { window * index / max(1, count) + restartSpread }
}
