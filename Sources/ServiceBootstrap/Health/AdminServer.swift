package import Hummingbird
import HummingbirdCore
package import Logging
package import NIOCore
import ServiceLifecycle

/// The HTTP server for operators: `/livez`, `/readyz`, `/metrics`, and what the caller adds.
///
/// It belongs first in a service group, so that it answers until everything else has drained.
package struct AdminServer: Service {
    /// Adds a caller's routes.
    package typealias Routes = @Sendable (Router<AdminRequestContext>) -> Void

    /// Connections at a time: probes and scrapers need a handful, and nobody else may use up our descriptors.
    package static let connectionsMaximum = 64

    private let address: SocketEndpoint
    private let health: HealthRegistry
    private let metrics: PrometheusMetrics
    private let eventLoopGroup: any EventLoopGroup
    private let logger: Logger
    private let onBound: @Sendable (Int) -> Void
    private let routes: Routes

    /// Prepares the server; `run()` binds.
    ///
    /// - Parameters:
    ///   - address: Where to listen; port 0 takes a free one.
    ///   - health: What the probes answer.
    ///   - metrics: What `/metrics` renders.
    ///   - eventLoopGroup: The loops that carry it.
    ///   - logger: Gets the bound address, and errors.
    ///   - onBound: Gets the bound port once it accepts connections.
    ///   - routes: Adds more routes.
    package init(
        address: SocketEndpoint, health: HealthRegistry, metrics: PrometheusMetrics,
        eventLoopGroup: any EventLoopGroup, logger: Logger,
        onBound: @escaping @Sendable (Int) -> Void = { _ in }, routes: @escaping Routes = { _ in }
    ) {
        self.address = address
        self.health = health
        self.metrics = metrics
        self.eventLoopGroup = eventLoopGroup
        self.logger = logger
        self.onBound = onBound
        self.routes = routes
    }

    /// Serves until graceful shutdown or cancellation.
    ///
    /// - Throws: What kept it from listening, with the address.
    package func run() async throws {
        // Hummingbird's own line about listening says what ours says.
        var serverLogger = logger
        serverLogger.logLevel = max(logger.logLevel, .notice)
        let application = Application(
            router: makeRouter(),
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port),
                availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionsMaximum)),
            onServerRunning: { [logger, onBound, address] channel in
                let port = channel.localAddress?.port ?? address.port
                let bound = SocketEndpoint(host: address.host, port: port)
                logger.info("admin server listening", metadata: ["admin.address": "\(bound)"])
                onBound(port)
            },
            eventLoopGroupProvider: .shared(eventLoopGroup),
            logger: serverLogger)
        do {
            try await application.run()
        } catch let error as IOError {
            throw SettingsError(
                key: Settings.variable("admin"), problem: "cannot listen on \(address): \(error)",
                allowed: "a free address of this machine as HOST:PORT")
        }
    }

    private func makeRouter() -> Router<AdminRequestContext> {
        let router = Router(context: AdminRequestContext.self)
        router.get("livez") { [health] _, _ in
            let ailments = health.ailments
            guard ailments.isEmpty else {
                return Self.text(ailments.joined(separator: "\n") + "\n", status: .serviceUnavailable)
            }
            return Self.text("ok\n")
        }
        router.get("readyz") { [health] _, _ in
            Self.text(
                health.readinessJSON, status: health.isReady ? .ok : .serviceUnavailable, type: "application/json")
        }
        router.get("metrics") { [metrics] _, _ in
            Self.text(metrics.render(), type: PrometheusMetrics.contentType)
        }
        routes(router)
        return router
    }

    private static func text(
        _ body: String, status: HTTPResponse.Status = .ok, type: String = "text/plain; charset=utf-8"
    ) -> Response {
        // Probes must see the present, whatever stands between.
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }
}
