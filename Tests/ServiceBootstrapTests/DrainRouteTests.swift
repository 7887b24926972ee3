import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

@testable import ServiceBootstrap

@Suite("POST /drain, over real HTTP")
struct DrainRouteTests {
    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// Runs an assembly with the route on a port while a body runs.
    private func withProcess(
        draining drain: @escaping @Sendable () async -> Void,
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let assembly = ServiceAssembly(configuration: ProcessConfiguration(role: "test", node: "t1"), logger: logger)
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
        let group = assembly.group(
            [], onAdminBound: { continuation.yield($0) }, adminRoutes: DrainRoute(drain: drain).add)
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                for await port in ports {
                    try await body(port)
                    break
                }
                await group.triggerGracefulShutdown()
            }
            try await tasks.waitForAll()
        }
    }

    private func call(_ port: Int) -> DrainCall {
        DrainCall(admin: SocketEndpoint(host: "0.0.0.0", port: port), timeout: .seconds(20), logger: logger)
    }

    @Test("The call drains, and answers when that is done")
    func drains() async throws {
        let count = Mutex(0)
        try await withProcess(draining: { count.withLock { $0 += 1 } }) { [self] port in
            try await call(port).run()
        }
        #expect(count.withLock { $0 } == 1)
    }

    @Test("The call fails when nobody answers")
    func nobody() async throws {
        await #expect(throws: DrainCall.Failure.self) { try await call(1).run() }
    }

    @Test(
        "Only this machine may ask",
        arguments: [
            ("127.0.0.1", true), ("127.8.0.1", true), ("::1", true), ("::ffff:127.0.0.1", true), ("10.0.0.1", false),
            ("::ffff:10.0.0.1", false), ("2001:db8::1", false),
        ])
    func loopback(address: String, isAllowed: Bool) throws {
        let socket = try SocketAddress(ipAddress: address, port: 1)
        #expect(AdminRequestContext.isLoopback(socket) == isAllowed)
    }
}
