import EarshotModel

/// Decides which partitions have a lane that hangs (protocol.md M3).
///
/// A call that lasts is no hang while others get on: under load a lane waits minutes for its turn at the recogniser. So
/// the short bound asks the whole process, and one call alone has a long one. A lane that was cut short has nothing to
/// wait for, whatever the others do.
struct StallWatch {
    private let limits: Limits
    /// Nothing is counted before it.
    private var watchedFrom: ContinuousClock.Instant

    init(limits: Limits, from start: ContinuousClock.Instant) {
        self.limits = limits
        watchedFrom = start
    }

    /// Notes that Redis was away: whatever waited may have waited for it.
    mutating func contactLost(at now: ContinuousClock.Instant) { watchedFrom = now }

    /// The partitions with a lane that hangs.
    func hung(in work: [Partition: WorkInHand], at now: ContinuousClock.Instant) -> Set<Partition> {
        let lastProgressAt = work.values.map(\.lastProgressAt).max() ?? now
        let isStill = hasLasted(since: lastProgressAt, limits.stallTimeout, at: now)
        return Set(
            work.filter { _, work in
                hasLasted(since: work.callSince, limits.laneStallTimeout, at: now)
                    || hasLasted(since: work.cutSince, limits.stallTimeout, at: now)
                    || isStill && hasLasted(since: work.unexplainedSince, limits.stallTimeout, at: now)
            }.keys)
    }

    private func hasLasted(
        since start: ContinuousClock.Instant?, _ limit: Duration, at now: ContinuousClock.Instant
    ) -> Bool {
        guard let start else { return false }
        return now - max(start, watchedFrom) > limit
    }
}
