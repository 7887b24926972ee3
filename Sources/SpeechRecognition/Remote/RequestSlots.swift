import Synchronization

/// A bounded number of requests under way, and a bounded queue of those who wait, first come, first served.
final class RequestSlots: Sendable {
    private enum Grant {
        case granted
        case full
        case cancelled
    }

    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Grant, Never>
    }

    private struct State {
        var free: Int
        var waiters: [Waiter] = []
        var lastID: UInt64 = 0
    }

    private let waitingMaximum: Int
    private let state: Mutex<State>

    init(concurrencyMaximum: Int, waitingMaximum: Int) {
        self.waitingMaximum = waitingMaximum
        state = Mutex(State(free: max(concurrencyMaximum, 1)))
    }

    /// How many wait.
    var waitingCount: Int { state.withLock(\.waiters.count) }

    /// Waits for a slot, which the caller gives back.
    ///
    /// - Throws: `RecognitionError`: `unavailable` when too many wait, `cancelled` when the caller was cancelled.
    func acquire() async throws(RecognitionError) {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        let grant = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                add(Waiter(id: id, continuation: continuation))
                // A cancellation before this point found nobody to wake.
                if Task.isCancelled { cancel(id) }
            }
        } onCancel: {
            cancel(id)
        }
        switch grant {
        case .granted: return
        case .full:
            throw RecognitionError(
                .unavailable, "\(waitingMaximum) utterances wait for the speech-to-text server; no more are allowed")
        case .cancelled: throw RecognitionError(.cancelled, "the caller was cancelled")
        }
    }

    /// Gives a slot back.
    func release() {
        let next = state.withLock { state -> Waiter? in
            guard !state.waiters.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiters.removeFirst()
        }
        next?.continuation.resume(returning: .granted)
    }

    private func add(_ waiter: Waiter) {
        let grant = state.withLock { state -> Grant? in
            if state.free > 0 {
                state.free -= 1
                return .granted
            }
            guard state.waiters.count < waitingMaximum else { return .full }
            state.waiters.append(waiter)
            return nil
        }
        if let grant { waiter.continuation.resume(returning: grant) }
    }

    private func cancel(_ id: UInt64) {
        let waiter = state.withLock { state in
            state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
        }
        waiter?.continuation.resume(returning: .cancelled)
    }
}
