import CoreMetrics
import Synchronization

/// A number that only grows.
final class CounterCell: CounterHandler, FloatingPointCounterHandler {
    private let value = Mutex(0.0)

    func increment(by amount: Int64) {
        increment(by: Double(amount))
    }

    func increment(by amount: Double) {
        // A counter that went down would look like a restart to Prometheus.
        guard amount > 0, amount.isFinite else { return }
        value.withLock { $0 += amount }
    }

    func reset() {
        value.withLock { $0 = 0 }
    }

    var current: Double { value.withLock { $0 } }
}
