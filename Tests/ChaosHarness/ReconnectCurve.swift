import Synchronization

/// How many connections were begun in each second.
final class ReconnectCurve: Sendable {
    private static let width = 60

    private let counts = Mutex<[Int: Int]>([:])

    /// Counts one, at a second of the run.
    func note(at second: Double) { counts.withLock { $0[Int(second), default: 0] += 1 } }

    /// What there was from a second on.
    func figures(since began: Double) -> (total: Int, peak: Int) {
        let counts = counts.withLock(\.self).filter { $0.key >= Int(began) }
        return (counts.values.reduce(0, +), counts.values.max() ?? 0)
    }

    /// Draws it on standard error: a line for each second.
    func draw(since began: Double) {
        let counts = counts.withLock(\.self).filter { $0.key >= Int(began) }
        guard let first = counts.keys.min(), let last = counts.keys.max() else { return }
        let peak = max(1, counts.values.max() ?? 1)
        for second in first...last {
            let count = counts[second, default: 0]
            let bar = String(repeating: "#", count: (count * Self.width + peak - 1) / peak)
            let time = String(second - Int(began)).leftPadded(to: 5)
            Stage.say("\(time) s \(String(count).leftPadded(to: 5)) \(bar)")
        }
    }
}

extension String {
    fileprivate func leftPadded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}
