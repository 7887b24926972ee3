import Dispatch

/// Runs what blocks (starting servers) on a thread of its own, because the pool has few.
func offload<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result(catching: body)) }
    }
}

/// Does nothing for a while: the harness waits for processes that no event of its own can tell about.
func rest(_ duration: Duration) async throws { try await ContinuousClock().sleep(for: duration) }

extension Duration {
    /// As a fraction of seconds.
    var seconds: Double { self / .seconds(1) }
}
