import ServiceLifecycle

/// A service that serves others until it is cancelled: a client, a pool, an engine.
package struct BackgroundService: Service {
    private let body: @Sendable () async throws -> Void

    /// Wraps a `run()` that ends by cancellation.
    package init(_ body: @escaping @Sendable () async throws -> Void) { self.body = body }

    /// Runs until a graceful shutdown reaches it, which is after all services that were given behind it.
    package func run() async throws {
        try await cancelWhenGracefulShutdown(body)
    }
}
