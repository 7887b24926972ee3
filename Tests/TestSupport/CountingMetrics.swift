package import CoreMetrics
import Synchronization

/// Counters by label, summed over their dimensions; the last value of each recorder; how often a timer was told.
package final class CountingMetrics: MetricsFactory, Sendable {
    private let totals = Mutex<[String: Int64]>([:])
    private let values = Mutex<[String: Double]>([:])
    private let timed = Mutex<[String: Int]>([:])
    private let onIncrement: @Sendable (String, Int64) -> Void

    /// Starts at zero.
    ///
    /// - Parameter onIncrement: told each time with the label and its new total.
    package init(onIncrement: @escaping @Sendable (String, Int64) -> Void = { _, _ in }) {
        self.onIncrement = onIncrement
    }

    /// The total of a label.
    package func total(_ label: String) -> Int64 { totals.withLock { $0[label, default: 0] } }

    /// What a gauge was set to last, or `nil`.
    package func gauge(_ label: String) -> Double? { values.withLock { $0[label] } }

    /// How often a timer was told a duration.
    package func timings(_ label: String) -> Int { timed.withLock { $0[label, default: 0] } }

    private final class Watch: TimerHandler {
        let label: String
        let owner: CountingMetrics

        init(_ label: String, _ owner: CountingMetrics) {
            self.label = label
            self.owner = owner
        }

        func recordNanoseconds(_ duration: Int64) {
            precondition(duration >= 0, "\(label) was told a negative duration")
            owner.timed.withLock { $0[label, default: 0] += 1 }
        }
    }

    private final class Level: RecorderHandler {
        let label: String
        let owner: CountingMetrics

        init(_ label: String, _ owner: CountingMetrics) {
            self.label = label
            self.owner = owner
        }

        func record(_ value: Int64) { record(Double(value)) }
        func record(_ value: Double) { owner.values.withLock { $0[label] = value } }
    }

    private final class Cell: CounterHandler {
        let label: String
        let owner: CountingMetrics

        init(_ label: String, _ owner: CountingMetrics) {
            self.label = label
            self.owner = owner
        }

        func increment(by amount: Int64) {
            let total = owner.totals.withLock { totals in
                totals[label, default: 0] += amount
                return totals[label, default: 0]
            }
            owner.onIncrement(label, total)
        }

        func reset() {}
    }

    /// A counter that adds to the label's total.
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { Cell(label, self) }
    /// A recorder or gauge that keeps its last value.
    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler { Level(label, self) }
    /// A timer that counts what it is told.
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { Watch(label, self) }
    /// Nothing to do.
    package func destroyCounter(_ handler: any CounterHandler) {}
    /// Forgets the last value.
    package func destroyRecorder(_ handler: any RecorderHandler) {
        guard let level = handler as? Level else { return }
        values.withLock { $0[level.label] = nil }
    }
    /// Nothing to do.
    package func destroyTimer(_ handler: any TimerHandler) {}
}
