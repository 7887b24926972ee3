import CoreMetrics
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import ServiceBootstrap

@Suite("The admin server, over real HTTP")
struct AdminServerTests {
    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// An assembly whose admin server is up while `body` runs, and which has ended in order afterwards.
    private func withAssembly(
        services: @Sendable (ServiceAssembly) -> [any Service] = { _ in [] },
        _ body: @escaping @Sendable (ServiceAssembly, ServiceGroup, HTTPProbe) async throws -> Void
    ) async throws {
        let assembly = ServiceAssembly(
            configuration: ProcessConfiguration(role: "test", node: "t1"), logger: logger)
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
        let group = assembly.group(
            services(assembly), onAdminBound: { continuation.yield($0) },
            adminRoutes: { router in router.get("pids") { _, _ in "1 2 3" } })
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                for await port in ports {
                    try await body(assembly, group, HTTPProbe(port: port))
                    break
                }
                await group.triggerGracefulShutdown()
            }
            try await tasks.waitForAll()
        }
    }

    @Test("livez follows the probes")
    func livez() async throws {
        try await withAssembly { assembly, _, probe in
            let alive = try await probe.get("/livez")
            #expect(alive.status == 200)
            #expect(alive.body == "ok\n")
            assembly.health.addLivenessProbe("worker") { "stuck" }
            let dead = try await probe.get("/livez")
            #expect(dead.status == 503)
            #expect(dead.body == "worker: stuck\n")
        }
    }

    @Test("readyz lists the checks")
    func readyz() async throws {
        try await withAssembly { assembly, _, probe in
            assembly.health.expect("redis")
            let early = try await probe.get("/readyz")
            #expect(early.status == 503)
            #expect(early.contentType == "application/json")
            #expect(
                early.body == #"{"ready":false,"shutting_down":false,"checks":"#
                    + #"[{"name":"redis","ready":false,"reason":"not started yet"}]}"# + "\n")
            assembly.health.setReady("redis", true)
            #expect(try await probe.get("/readyz").status == 200)
        }
    }

    @Test("metrics are in the text format, with the process and the event loops")
    func metrics() async throws {
        try await withAssembly { assembly, _, probe in
            Counter(label: "things", factory: assembly.metrics).increment()
            let answer = try await probe.get("/metrics")
            #expect(answer.status == 200)
            #expect(answer.contentType == "text/plain; version=0.0.4; charset=utf-8")
            #expect(answer.body.contains("earshot_things_total 1\n"))
            #expect(answer.body.contains("earshot_event_loop_delay_seconds_bucket"))
            #expect(answer.body.contains("process_open_fds "))
        }
    }

    @Test("Callers' routes are served, others are 404")
    func routes() async throws {
        try await withAssembly { _, _, probe in
            let pids = try await probe.get("/pids")
            #expect(pids.body == "1 2 3")
            let nothing = try await probe.get("/nothing")
            #expect(nothing.status == 404)
        }
    }

    @Test("When shutdown begins, readyz fails at once, while a service still drains and livez still answers")
    func drain() async throws {
        let (drained, release) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let slow = SlowService(release: drained)
        try await withAssembly(services: { _ in [slow] }) { assembly, group, probe in
            #expect(try await probe.get("/readyz").status == 200)
            await group.triggerGracefulShutdown()
            var status = 200
            while status == 200 { status = try await probe.get("/readyz").status }
            #expect(status == 503)
            let draining = try await probe.get("/readyz")
            #expect(draining.body.contains(#""shutting_down":true"#))
            #expect(try await probe.get("/livez").status == 200)
            release.yield()
        }
    }

    @Test("An address that is taken is an error that names it")
    func taken() async throws {
        try await withAssembly { _, _, probe in
            let address = SocketEndpoint(host: "127.0.0.1", port: probe.port)
            let second = ServiceAssembly(
                configuration: ProcessConfiguration(role: "test", node: "t2", admin: address),
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            let error = await #expect(throws: SettingsError.self) { try await second.group([]).run() }
            #expect(error?.key == "EARSHOT_ADMIN")
            #expect(error?.problem.contains("127.0.0.1:\(probe.port)") == true)
        }
    }

    @Test("A service that fails ends the process with its error")
    func failing() async throws {
        let assembly = ServiceAssembly(
            configuration: ProcessConfiguration(role: "test", node: "t1"), logger: logger)
        await #expect(throws: Broken.self) { try await assembly.run([FailingService()]) }
    }
}

private struct Broken: Error {}

private struct FailingService: Service {
    func run() async throws { throw Broken() }
}

/// Drains until it is released, as a worker does that hands its partitions over.
private struct SlowService: Service {
    let release: AsyncStream<Void>

    func run() async throws {
        try? await gracefulShutdown()
        for await _ in release { break }
    }
}
