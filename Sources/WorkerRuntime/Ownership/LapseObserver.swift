/// Watches counters and tells which have stopped (protocol.md H1).
///
/// Nothing is dead because a time to live ran out: a value has lapsed when this one observer, in unbroken contact,
/// saw it unchanged for long enough on its own monotonic clock. A failed look restarts every observation.
package struct LapseObserver<Key: Hashable & Sendable, Value: Equatable & Sendable>: Sendable {
    private struct Observation {
        var value: Value
        var unchangedSince: ContinuousClock.Instant
        var firstSeen: ContinuousClock.Instant
        var hasChanged = false
    }

    private var observations: [Key: Observation] = [:]
    private var absences: [Key: ContinuousClock.Instant] = [:]

    /// An observer that has seen nothing.
    package init() {}

    /// Takes in one look at all values; keys that are gone are forgotten.
    package mutating func observe(_ values: [Key: Value], at now: ContinuousClock.Instant) {
        var next: [Key: Observation] = [:]
        for (key, value) in values {
            var observation = observations[key] ?? Observation(value: value, unchangedSince: now, firstSeen: now)
            if observation.value != value {
                observation.value = value
                observation.unchangedSince = now
                observation.hasChanged = true
            }
            next[key] = observation
        }
        observations = next
    }

    /// Notes that contact was lost: what was unchanged may only have been unseen.
    package mutating func contactLost(at now: ContinuousClock.Instant) {
        for key in observations.keys {
            observations[key]?.unchangedSince = now
            observations[key]?.hasChanged = false
        }
        absences = [:]
    }

    /// Whether a key has been seen unchanged for a time.
    package func hasLapsed(_ key: Key, after lapse: Duration, at now: ContinuousClock.Instant) -> Bool {
        guard let observation = observations[key] else { return false }
        return now - observation.unchangedSince >= lapse
    }

    /// How long a key has been known, or `nil`.
    package func age(of key: Key, at now: ContinuousClock.Instant) -> Duration? {
        observations[key].map { now - $0.firstSeen }
    }

    /// Whether a key has been seen to change, in unbroken contact.
    package func hasChanged(_ key: Key) -> Bool { observations[key]?.hasChanged ?? false }

    /// The value seen last.
    package func value(of key: Key) -> Value? { observations[key]?.value }

    /// Whether a key that others still name has been absent, in unbroken contact, for a time.
    ///
    /// Each call notes the absence; the first one starts it.
    package mutating func hasBeenAbsent(_ key: Key, for lapse: Duration, at now: ContinuousClock.Instant) -> Bool {
        guard observations[key] == nil else {
            absences[key] = nil
            return false
        }
        let since = absences[key] ?? now
        absences[key] = since
        return now - since >= lapse
    }

    /// Forgets absences nobody asks about any more.
    package mutating func forgetAbsences(except keys: Set<Key>) {
        absences = absences.filter { keys.contains($0.key) }
    }
}
