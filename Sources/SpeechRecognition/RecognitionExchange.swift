import Dispatch
import Synchronization

/// Where callers leave requests and wait, and threads take requests and answer; safe from anywhere.
///
/// Every request is answered exactly once: by a thread, by its cancellation, by a newer one, or by the end.
final class RecognitionExchange: Sendable {
    typealias Answer = Result<RecognitionAnswer, RecognitionError>

    private struct Waiter {
        let continuation: CheckedContinuation<Answer, Never>
        let kind: RecognitionPriority.Class
        var isServed = false
    }

    private struct State {
        var queue: RecognitionQueue
        /// Everybody who waits for an answer, by request.
        ///
        /// Its bounds are the queue's and the number of threads.
        var waiters: [UInt64: Waiter] = [:]
        var lastID: UInt64 = 0
        var isClosed = false
    }

    private static let closed = RecognitionError(.unavailable, "the recogniser has stopped")
    private static let superseded = RecognitionError(
        .superseded, "an interim was dropped, for a newer one or under load")

    private let threads: Int
    private let state: Mutex<State>
    private let metrics = RecognitionMetrics()
    // One signal for each request added, one for each that a limit may have held back, one for each thread at the end.
    // A thread that then finds nothing to do waits again.
    private let arrivals = DispatchSemaphore(value: 0)

    init(threads: Int, bounds: RecognitionQueue.Bounds) {
        self.threads = threads
        state = Mutex(State(queue: RecognitionQueue(threads: threads, bounds: bounds)))
    }

    /// How many requests no thread has taken yet.
    var waitingCount: Int {
        state.withLock { $0.queue.finalsWaiting + $0.queue.voicesWaiting + $0.queue.interimsWaiting }
    }

    /// Leaves a request and waits for the answer; a cancelled caller is answered at once.
    func submit(
        _ samples: [Float], _ priority: RecognitionPriority, _ work: RecognitionWork? = nil
    ) async -> Answer {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        let request = RecognitionQueue.Request(
            id: id, samples: samples, priority: priority, submitted: .now, work: work)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                add(request, Waiter(continuation: continuation, kind: priority.kind))
                // A cancellation before this point found nobody to answer.
                if Task.isCancelled { cancel(id) }
            }
        } onCancel: {
            cancel(id)
        }
    }

    /// Takes the next request, blocking the thread until there is one; nil after the end.
    func take() -> RecognitionQueue.Request? {
        while true {
            arrivals.wait()
            let (request, dropped, isClosed) = state.withLock { state in
                let decision = state.queue.next(now: .now)
                if let id = decision.request?.id { state.waiters[id]?.isServed = true }
                report(state)
                return (decision.request, Self.remove(decision.dropped, from: &state), state.isClosed)
            }
            for waiter in dropped { end(waiter, .failure(Self.superseded)) }
            if let request {
                metrics.started(request.priority.kind, waited: .now - request.submitted)
                return request
            }
            if isClosed { return nil }
        }
    }

    /// Answers a request that was taken; nobody hears it if the caller was cancelled.
    func answer(_ request: RecognitionQueue.Request, _ answer: Answer, after duration: Duration) {
        metrics.ran(request.priority.kind, for: duration, sampleCount: request.samples.count)
        let (waiter, isLesserWaiting) = state.withLock { state in
            state.queue.finished(request)
            let isLesserWaiting = state.queue.interimsWaiting + state.queue.voicesWaiting > 0
            return (state.waiters.removeValue(forKey: request.id), isLesserWaiting)
        }
        if isLesserWaiting { arrivals.signal() }
        if let waiter { end(waiter, answer) }
    }

    /// Refuses all requests, waiting and to come, and lets the threads go.
    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            state.queue.removeAll()
            report(state)
            return Self.remove(state.waiters.filter { !$0.value.isServed }.map(\.key), from: &state)
        }
        for _ in 0..<threads { arrivals.signal() }
        for waiter in waiting { end(waiter, .failure(Self.closed)) }
    }

    private func add(_ request: RecognitionQueue.Request, _ waiter: Waiter) {
        let (refusal, dropped) = state.withLock { state -> (RecognitionError?, [Waiter]) in
            guard !state.isClosed else { return (Self.closed, []) }
            do throws(RecognitionError) {
                let dropped = try state.queue.add(request)
                state.waiters[request.id] = waiter
                report(state)
                return (nil, Self.remove(dropped, from: &state))
            } catch {
                return (error, [])
            }
        }
        if let refusal { end(waiter, .failure(refusal)) } else { arrivals.signal() }
        for waiter in dropped { end(waiter, .failure(Self.superseded)) }
    }

    private func cancel(_ id: UInt64) {
        let waiter = state.withLock { state in
            state.queue.remove(id)
            report(state)
            return state.waiters.removeValue(forKey: id)
        }
        if let waiter { end(waiter, .failure(RecognitionError(.cancelled, "the caller was cancelled"))) }
    }

    private func end(_ waiter: Waiter, _ answer: Answer) {
        metrics.ended(waiter.kind, answer)
        waiter.continuation.resume(returning: answer)
    }

    private func report(_ state: borrowing State) {
        metrics.queue(
            finals: state.queue.finalsWaiting, voices: state.queue.voicesWaiting,
            interims: state.queue.interimsWaiting)
    }

    private static func remove(_ ids: [UInt64], from state: inout State) -> [Waiter] {
        ids.compactMap { state.waiters.removeValue(forKey: $0) }
    }
}
