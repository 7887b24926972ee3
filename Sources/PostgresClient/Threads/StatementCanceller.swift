import Logging
import Synchronization

/// Sends cancel requests from a thread of its own.
///
/// `PQcancel` opens a connection and blocks until the server hangs up: for ever, if the server is stopped. Nobody
/// waits for it here; while it hangs, at most ``limit`` further requests are kept and the rest is dropped. A dropped
/// one costs only that the server works on until its statement timeout: the connection is given up in any case.
final class StatementCanceller: Sendable {
    /// Twice the connections of a pool: each has at most one statement to cancel.
    static let limit = 64

    private struct State {
        var thread: BlockingThread?
        var pending = 0
        var isStopped = false
    }

    private let state = Mutex(State())
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    deinit { stop() }

    /// Asks the server to stop the connection's statement; returns at once.
    func cancel(_ handle: CancelHandle) {
        let thread = state.withLock { state -> BlockingThread? in
            guard !state.isStopped, state.pending < Self.limit else { return nil }
            if state.thread == nil { state.thread = try? BlockingThread.start() }
            if state.thread != nil { state.pending += 1 }
            return state.thread
        }
        guard let thread else {
            logger.info("A cancel request was dropped", metadata: ["postgres.pending": "\(Self.limit)"])
            return
        }
        thread.submit { [self] in
            if let reason = handle.cancel() {
                logger.info("A cancel request failed", metadata: ["postgres.reason": "\(reason)"])
            }
            state.withLock { $0.pending -= 1 }
        }
    }

    /// Takes no further requests and lets the thread end.
    func stop() {
        let thread = state.withLock { state in
            state.isStopped = true
            return state.thread.take()
        }
        thread?.stop()
    }
}
