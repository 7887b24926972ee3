import CoreMetrics
import Synchronization

/// A number that goes up and down; the last one counts.
final class GaugeCell: MeterHandler, RecorderHandler {
    private let value = Mutex(0.0)

    func set(_ newValue: Int64) {
        set(Double(newValue))
    }

    func set(_ newValue: Double) {
        value.withLock { $0 = newValue }
    }

    func increment(by amount: Double) {
        guard amount.isFinite else { return }
        value.withLock { $0 += amount }
    }

    func decrement(by amount: Double) {
        increment(by: -amount)
    }

    func record(_ newValue: Int64) {
        set(newValue)
    }

    func record(_ newValue: Double) {
        set(newValue)
    }

    var current: Double { value.withLock { $0 } }
}
