import CoreMetrics

/// What the use of a remote recogniser reports.
struct RemoteMetrics: Sendable {
    /// The closed set of `outcome` labels.
    enum Outcome: String, CaseIterable {
        case text
        case rejected
        case failed
        /// Not asked: too many wait, or the breaker is open.
        case shed
        case cancelled
    }

    private let outcomes = Dictionary(
        uniqueKeysWithValues: Outcome.allCases.map {
            ($0, Counter(label: "stt.remote.requests", dimensions: [("outcome", $0.rawValue)]))
        })
    private let duration = Timer(label: "stt.remote.duration")
    private let breaker = Gauge(label: "stt.remote.breaker.open")

    func ended(_ outcome: Outcome) {
        outcomes[outcome]?.increment()
    }

    func took(_ time: Duration) {
        duration.recordNanoseconds(Int64(time / .nanoseconds(1)))
    }

    func breaker(isOpen: Bool) {
        breaker.record(isOpen ? 1 : 0)
    }
}
