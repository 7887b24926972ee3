import Dispatch
import Glibc
import Synchronization

/// A thread of its own that runs blocks, and an actor's jobs, one after the other.
///
/// Blocking C calls belong here: on the cooperative pool, with as many threads as cores, two of them would stop every
/// task of the process. The thread ends after ``stop()``; until then it keeps this object alive.
final class BlockingThread: SerialExecutor {
    private struct Inbox {
        /// Bounded by the callers: an actor's pending calls, or the canceller's count.
        var blocks: [@Sendable () -> Void] = []
        var isStopping = false
    }

    private let inbox = Mutex(Inbox())
    private let arrivals = DispatchSemaphore(value: 0)
    /// The thread's `pthread_t`, 0 until it runs.
    private let identity = Atomic<UInt>(0)

    /// Starts a thread.
    ///
    /// - Throws: `.connectionFailed` when the system gives no more threads.
    static func start() throws(PostgresError) -> BlockingThread {
        let thread = BlockingThread()
        let context = unsafe Unmanaged.passRetained(thread)
        var handle = pthread_t()
        let status = unsafe pthread_create(
            &handle, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<BlockingThread>.fromOpaque(context).takeRetainedValue().loop()
                return nil
            }, context.toOpaque())
        guard status == 0 else {
            unsafe context.release()
            throw PostgresError(.connectionFailed, "no thread for a connection: \(SocketWait.reason(status))")
        }
        pthread_detach(handle)
        return thread
    }

    /// Runs `block` on the thread after what was submitted before.
    func submit(_ block: @escaping @Sendable () -> Void) {
        inbox.withLock { $0.blocks.append(block) }
        arrivals.signal()
    }

    /// Lets the thread end after what was submitted before.
    func stop() {
        inbox.withLock { $0.isStopping = true }
        arrivals.signal()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        submit { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func checkIsolated() {
        precondition(
            identity.load(ordering: .acquiring) == UInt(pthread_self()),
            "a connection was used outside its own thread")
    }

    private func loop() {
        identity.store(UInt(pthread_self()), ordering: .releasing)
        while true {
            arrivals.wait()
            let block = inbox.withLock { inbox in inbox.blocks.isEmpty ? nil : inbox.blocks.removeFirst() }
            // One signal for each block and one for the stop, which therefore comes last.
            guard let block else { return }
            block()
        }
    }
}
