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
        // One that is passed without an outcome answers for nobody.
        let isRepeated = pending.contains { $0.request.id == request.id && !$0.isRepeated }
        pending.append(Pending(request: request, next: next, isRepeated: isRepeated))
    }

    /// The first request, if it is time for it.
    func due(at now: Int64) -> Pending? {
        guard let first = pending.first else { return nil }
        return isFull || isOldEnough(first, at: now) ? first : nil
    }

    /// Whether so many wait that the first must have its outcome now.
    var isFull: Bool { pending.count > limits.pendingMaximum }

    mutating func removeFirst() { pending.removeFirst() }

    /// When to look again: the scan at which it is time for the first request; nil while none waits.
    func nextScan(after now: Int64) -> Int64? {
        guard let first = pending.first else { return nil }
        let interval = max(limits.scanInterval.microseconds, 1)
        let wait = wait(of: first.request)
        let due = max(wait.since + wait.length, now)
        return (due + interval - 1) / interval * interval
    }

    private func isOldEnough(_ pending: Pending, at now: Int64) -> Bool {
        if pending.isRepeated { return true }
        // A clock that was wrong must not hold up the requests behind it for longer than the wait.
        let wait = wait(of: pending.request)
        return abs(now - wait.since) >= wait.length
    }

    /// How long a request waits, and since when.
    private func wait(of request: SpeakerSampleRequest) -> (since: Int64, length: Int64) {
        request.triedAt.map { ($0, limits.retryInterval.microseconds) }
            ?? (request.requestedAt, limits.age.microseconds)
    }
}
