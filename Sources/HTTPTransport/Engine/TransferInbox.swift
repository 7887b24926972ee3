import Synchronization

/// What callers leave for the engine's thread; the only state they share.
///
/// Every submission is answered exactly once: by the engine, by its cancellation before the engine took it, or by the
/// end.
final class TransferInbox: Sendable {
    typealias Answer = Result<HTTPResponse, HTTPTransportError>

    /// One exchange and who waits for it; handed on by reference, as those that lie for long are far from the caches.
    final class Submission: Sendable {
        let id: UInt64
        let request: HTTPRequest
        /// The request's.
        let origin: String
        let continuation: CheckedContinuation<Answer, Never>

        init(id: UInt64, request: HTTPRequest, continuation: CheckedContinuation<Answer, Never>) {
            self.id = id
            self.request = request
            self.continuation = continuation
            origin = request.origin
        }
    }

    /// What the engine's thread takes at once.
    struct Batch {
        var submissions: [Submission] = []
        var cancellations: [UInt64] = []
        var isClosed = false
    }

    private struct State {
        var batch = Batch()
        /// Submitted and not finished.
        var underWay = 0
        var lastID: UInt64 = 0
        var wake: WakeDescriptor?
        var hasSignalled = false
        var hasEngine = false
    }

    static let cancelled = HTTPTransportError(.cancelled, "the caller was cancelled")
    static let closed = HTTPTransportError(.closed, "the HTTP transport has stopped")

    private let transfersMaximum: Int
    private let state = Mutex(State())

    init(transfersMaximum: Int) {
        self.transfersMaximum = transfersMaximum
    }

    /// Leaves a request and waits for its answer; a cancelled caller is answered at once.
    func submit(_ request: HTTPRequest) async -> Answer {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                add(Submission(id: id, request: request, continuation: continuation))
                // A cancellation before this point found nobody to answer.
                if Task.isCancelled { cancel(id) }
            }
        } onCancel: {
            cancel(id)
        }
    }

    /// Lets the engine begin; false when there was one before.
    func open(_ wake: WakeDescriptor) -> Bool {
        state.withLock { state in
            guard !state.hasEngine else { return false }
            state.hasEngine = true
            state.wake = wake
            return true
        }
    }

    /// Takes what was left since the last time.
    func take() -> Batch {
        state.withLock { state in
            state.hasSignalled = false
            let batch = state.batch
            state.batch = Batch(isClosed: batch.isClosed)
            return batch
        }
    }

    /// Notes that the engine has answered an exchange.
    func finished() {
        state.withLock { $0.underWay -= 1 }
    }

    /// Refuses what comes from now on, and tells the engine to end.
    func close() {
        let wake = state.withLock { state in
            state.batch.isClosed = true
            return state.wake
        }
        wake?.signal()
    }

    /// Answers what no engine will take any more.
    func refuseRest() {
        for submission in take().submissions { submission.continuation.resume(returning: .failure(Self.closed)) }
    }

    private func add(_ submission: Submission) {
        let refusal = state.withLock { state -> HTTPTransportError? in
            guard !state.batch.isClosed else { return Self.closed }
            guard state.underWay < transfersMaximum else {
                return HTTPTransportError(
                    .overloaded, "\(transfersMaximum) HTTP exchanges are under way, the most allowed")
            }
            state.underWay += 1
            state.batch.submissions.append(submission)
            signal(&state)
            return nil
        }
        if let refusal { submission.continuation.resume(returning: .failure(refusal)) }
    }

    private func cancel(_ id: UInt64) {
        let waiting = state.withLock { state -> Submission? in
            if let index = state.batch.submissions.firstIndex(where: { $0.id == id }) {
                state.underWay -= 1
                return state.batch.submissions.remove(at: index)
            }
            // The engine has it, or it is over, or it is yet to come and its caller looks again.
            guard state.hasEngine else { return nil }
            state.batch.cancellations.append(id)
            signal(&state)
            return nil
        }
        waiting?.continuation.resume(returning: .failure(Self.cancelled))
    }

    /// Wakes the engine once for everything it has not taken.
    private func signal(_ state: inout State) {
        guard !state.hasSignalled, let wake = state.wake else { return }
        state.hasSignalled = true
        wake.signal()
    }
}
