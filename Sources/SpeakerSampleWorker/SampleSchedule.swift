import EarshotModel

/// Which requests wait, and until when: decisions only.
///
/// Times are Unix µs.
struct SampleSchedule {
    struct Pending: Equatable {
        let request: SpeakerSampleRequest
        /// The number behind its entry.
        let next: UInt64
        /// Whether an older entry asks for the same: it is passed without an outcome of its own.
        let isRepeated: Bool
    }

    private let limits: SampleLimits
    /// In the order of the stream, in which they are handled.
    private(set) var pending: [Pending] = []

    init(limits: SampleLimits) { self.limits = limits }

    mutating func add(_ request: SpeakerSampleRequest, next: UInt64) {
        let isRepeated = pending.contains { $0.request.id == request.id }
        pending.append(Pending(request: request, next: next, isRepeated: isRepeated))
    }

    /// The oldest request, if it is time for it.
    func due(at now: Int64) -> Pending? {
        guard let first = pending.first else { return nil }
        return pending.count > limits.pendingMaximum || isOldEnough(first, at: now) ? first : nil
    }

    mutating func removeFirst() { pending.removeFirst() }

    /// When to look again: the scan at which the oldest request is old enough; nil while none waits.
    func nextScan(after now: Int64) -> Int64? {
        guard let first = pending.first else { return nil }
        let interval = max(limits.scanInterval.microseconds, 1)
        let due = max(first.request.requestedAt + limits.age.microseconds, now)
        return (due + interval - 1) / interval * interval
    }

    private func isOldEnough(_ pending: Pending, at now: Int64) -> Bool {
        // A clock that was wrong must not hold up the requests behind it for longer than the age.
        pending.isRepeated || abs(now - pending.request.requestedAt) >= limits.age.microseconds
    }
}
