import Hummingbird
import HummingbirdCore
import Logging
import NIOPosix
import ServiceBootstrap

/// The supervisor's server for operators: `/livez`, `/readyz`, `/metrics` of the whole fleet, and `/pids`.
///
/// Not an `AdminServer`, whose `/metrics` is its own process' alone.
struct FleetAdmin: Sendable {
    /// Probes and scrapers need a handful.
    private static let connectionsMaximum = 64

    let address: SocketEndpoint
    let metrics: PrometheusMetrics
    let logger: Logger
    /// The processes whose metrics are joined.
    let children: @Sendable () -> [SupervisedChild]
    let status: @Sendable () -> FleetStatus
    let isShuttingDown: @Sendable () -> Bool
    let onBound: @Sendable (Int) -> Void

    /// Serves until the task is cancelled.
    ///
    /// - Throws: `CommandError` when it cannot listen.
    func run() async throws {
        // What keeps it from serving is thrown; being cancelled, which is how it ends, is no error.
        var serverLogger = logger
        serverLogger.logLevel = .critical
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port),
                availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionsMaximum)),
            onServerRunning: { [address, onBound] channel in onBound(channel.localAddress?.port ?? address.port) },
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), logger: serverLogger)
        do {
            try await application.run()
        } catch  where !Task.isCancelled {
            throw CommandError("--admin: cannot listen on \(address): \(error)")
        }
    }

    private var router: Router<BasicRequestContext> {
        let router = Router()
        router.get("livez") { _, _ in Self.text("ok\n") }
        router.get("readyz") { _, _ in
            let checks = children().map { Check(name: $0.node, ready: $0.status.isReady) }
            let isShuttingDown = isShuttingDown()
            let isReady = !isShuttingDown && checks.allSatisfy(\.ready)
            let readiness = Readiness(ready: isReady, shuttingDown: isShuttingDown, checks: checks)
            return Self.text(
                try ConsoleJSON.line(readiness) + "\n", status: isReady ? .ok : .serviceUnavailable,
                type: "application/json")
        }
        router.get("metrics") { _, _ in Self.text(await mergedMetrics(), type: PrometheusMetrics.contentType) }
        router.get("pids") { _, _ in Self.text(try ConsoleJSON.line(status().pids) + "\n", type: "application/json") }
        return router
    }

    private struct Check: Encodable {
        let name: String
        let ready: Bool
    }

    private struct Readiness: Encodable {
        let ready: Bool
        let shuttingDown: Bool
        let checks: [Check]
    }

    /// The metrics of the supervisor and of every child that answers.
    private func mergedMetrics() async -> String {
        let children = children()
        let texts = await withTaskGroup(of: (Int, String?).self) { group in
            for (index, child) in children.enumerated() {
                guard let admin = child.status.admin else { continue }
                group.addTask {
                    let group = MultiThreadedEventLoopGroup.singleton
                    return (index, try? await HTTPFetch.text(base: admin, path: "/metrics", on: group))
                }
            }
            return await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
        }
        var merge = MetricsMerge()
        merge.add(metrics.render(), role: "supervisor", node: "supervisor")
        for (index, child) in children.enumerated() {
            merge.add(Self.facts(of: child, isScraped: texts[index] != nil), role: child.role, node: child.node)
            if let text = texts[index] { merge.add(text, role: child.role, node: child.node) }
        }
        return merge.rendered
    }

    /// What the supervisor itself knows about a child.
    private static func facts(of child: SupervisedChild, isScraped: Bool) -> String {
        let status = child.status
        // Redis and Postgres have no metrics of this form to be asked for.
        let scraped =
            WorkerCounts.roles.contains(child.role)
            ? """
            # TYPE earshot_supervisor_child_scraped gauge
            earshot_supervisor_child_scraped \(isScraped ? 1 : 0)

            """ : ""
        return scraped + """
            # TYPE earshot_supervisor_child_ready gauge
            earshot_supervisor_child_ready \(status.isReady ? 1 : 0)
            # TYPE earshot_supervisor_child_starts_total counter
            earshot_supervisor_child_starts_total \(status.starts)
            """
    }

    private static func text(
        _ body: String, status: HTTPResponse.Status = .ok, type: String = "text/plain; charset=utf-8"
    ) -> Response {
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }
}
