import Foundation
import Synchronization

/// The one thread that starts child processes and never ends.
///
/// The kernel's parent-death signal follows the thread that forked, not the process.
final class SpawningThread: Sendable {
    static let shared = SpawningThread()

    private let jobs = Mutex<[@Sendable () -> Void]>([])
    private let hasJob = DispatchSemaphore(value: 0)

    private init() {
        let thread = Thread { [self] in
            while true {
                hasJob.wait()
                let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                job?()
            }
        }
        thread.name = "test-children"
        thread.start()
    }

    /// Runs a body on the thread and waits for it; starting a process takes a few milliseconds.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
        let isDone = DispatchSemaphore(value: 0)
        let cell = ResultCell<Value>()
        jobs.withLock {
            $0.append {
                cell.value.withLock { $0 = Result(catching: body) }
                isDone.signal()
            }
        }
        hasJob.signal()
        isDone.wait()
        guard let value = cell.value.withLock({ $0 }) else { preconditionFailure("the job has run") }
        return try value.get()
    }

    private final class ResultCell<Value: Sendable>: Sendable {
        let value = Mutex<Result<Value, any Error>?>(nil)
    }
}
