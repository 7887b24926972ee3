import NIOCore
import Synchronization

/// One value that a task waits for and that whoever comes first settles: a reply, a timer, a cancellation.
final class RedisWait<Value: Sendable>: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<Result<Value, RedisError>, Never>)
        case settled(Result<Value, RedisError>)
    }

    private let state = Mutex(State.open)

    /// Settles the wait.
    ///
    /// Returns false, and changes nothing, if it was settled before.
    @discardableResult
    func settle(_ result: Result<Value, RedisError>) -> Bool {
        let (first, continuation) = state.withLock {
            state -> (Bool, CheckedContinuation<Result<Value, RedisError>, Never>?) in
            switch state {
            case .settled: return (false, nil)
            case .open:
                state = .settled(result)
                return (true, nil)
            case .waiting(let continuation):
                state = .settled(result)
                return (true, continuation)
            }
        }
        continuation?.resume(returning: result)
        return first
    }

    /// Settles the wait with what a future ends with.
    func settle(from future: EventLoopFuture<Value>) {
        future.whenComplete { result in
            self.settle(result.mapError { .wrapping($0, as: .notConnected, "the attempt failed") })
        }
    }

    /// Whether it was settled already.
    var isSettled: Bool {
        state.withLock { if case .settled = $0 { true } else { false } }
    }

    /// Waits; cancellation of the task settles it with `.cancelled` at once.
    ///
    /// May be called once.
    func value() async throws(RedisError) -> Value {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let settled = state.withLock { state -> Result<Value, RedisError>? in
                    switch state {
                    case .settled(let result): return result
                    case .open:
                        state = .waiting(continuation)
                        return nil
                    case .waiting: preconditionFailure("a RedisWait has one waiting task")
                    }
                }
                if let settled { continuation.resume(returning: settled) }
            }
        } onCancel: {
            settle(.failure(RedisError(.cancelled, "the task was cancelled")))
        }
        return try result.get()
    }
}

extension RedisConnection {
    /// Sends one command and waits for its reply, under the configured time-out; error replies are thrown.
    func ask(_ command: RedisCommand) async throws(RedisError) -> RESPValue {
        let wait = RedisWait<[RESPValue]>()
        wait.settle(from: send(RedisPipeline([command])))
        guard let reply = try await wait.value().first else {
            preconditionFailure("a pipeline of one command got no reply")
        }
        if let error = reply.asError { throw error.during(command.name) }
        return reply
    }
}
