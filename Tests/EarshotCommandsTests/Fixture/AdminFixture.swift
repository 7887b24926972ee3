import Logging
import NIOPosix
import ServiceBootstrap
import Synchronization

@testable import EarshotCommands

/// A real admin server on a free port.
enum AdminFixture {
    /// Runs the body with the server's address.
    static func with(metrics: PrometheusMetrics, _ body: @Sendable (String) async throws -> Void) async throws {
        let port = Mutex(0)
        let bound = Gate()
        let server = AdminServer(
            address: SocketEndpoint(host: "127.0.0.1", port: 0), health: HealthRegistry(), metrics: metrics,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            onBound: { number in
                port.withLock { $0 = number }
                bound.open()
            })
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Cancelled at the end, which is how it ends.
            group.addTask { try? await server.run() }
            defer { group.cancelAll() }
            await bound.wait()
            try await body("http://127.0.0.1:\(port.withLock(\.self))")
        }
    }
}
