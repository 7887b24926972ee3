import Synchronization

/// Keeps what several tasks report, in the order of their reports.
final class Recorder<Value: Sendable>: Sendable {
    private let reports = Mutex<[Value]>([])

    var values: [Value] { reports.withLock { $0 } }

    func report(_ value: Value) {
        reports.withLock { $0.append(value) }
    }
}
