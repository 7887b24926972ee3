import CoreMetrics
import Synchronization

/// Observations counted in fixed buckets, with their sum.
final class HistogramCell: RecorderHandler, TimerHandler {
    struct Snapshot {
        /// Observations up to and including each bound, cumulative.
        var cumulative: [UInt64]
        var count: UInt64
        var sum: Double
    }

    private struct State {
        var counts: [UInt64]
        var sum = 0.0
    }

    let bounds: [Double]
    private let state: Mutex<State>

    /// The bounds must rise; the bucket above the last one is added.
    init(bounds: [Double]) {
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bucket bounds must rise")
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func record(_ value: Int64) {
        record(Double(value))
    }

    func record(_ value: Double) {
        guard !value.isNaN else { return }
        // Under twenty bounds: looking one by one is as fast as halving.
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.counts[index] += 1
            $0.sum += value
        }
    }

    func recordNanoseconds(_ duration: Int64) {
        record(Double(duration) / 1e9)
    }

    var snapshot: Snapshot {
        let state = state.withLock { $0 }
        var total: UInt64 = 0
        var cumulative: [UInt64] = []
        for count in state.counts {
            total += count
            cumulative.append(total)
        }
        return Snapshot(cumulative: Array(cumulative.dropLast()), count: total, sum: state.sum)
    }
}
