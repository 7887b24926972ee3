/// How the lanes of a partition wait for dependencies, and whether a whole worker has waited for too long
/// (protocol.md M3).
struct DependencyWait {
    /// What lanes wait for.
    var names: Set<String> = []
    /// Since when the lane that waits longest does.
    var since: ContinuousClock.Instant?
    /// When a lane last got on.
    var lastAdvanceAt: ContinuousClock.Instant?

    /// Takes in another partition's.
    mutating func merge(_ other: DependencyWait) {
        names.formUnion(other.names)
        since = [since, other.since].compactMap(\.self).min()
        lastAdvanceAt = [lastAdvanceAt, other.lastAdvanceAt].compactMap(\.self).max()
    }

    /// The one dependency for which lanes have waited longer than a limit, when no lane got on meanwhile.
    ///
    /// With several of them, or one lane getting on, it is they that are away and not this process that is cut off.
    func overdue(after limit: Duration, at now: ContinuousClock.Instant) -> String? {
        guard names.count == 1, let since, now - since >= limit else { return nil }
        if let lastAdvanceAt, now - lastAdvanceAt < limit { return nil }
        return names.first
    }
}
