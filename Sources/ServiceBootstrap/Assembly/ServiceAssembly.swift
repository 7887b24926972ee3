import CoreMetrics
package import Logging
package import NIOCore
import NIOPosix
package import ServiceLifecycle
import UnixSignals

/// One process, put together: its logs, metrics, health, admin server, and the services that do its work.
///
/// ```swift
/// let assembly = ServiceAssembly.start(try ProcessConfiguration(role: "gateway", settings: settings))
/// try await assembly.run([redis, gateway])
/// ```
package struct ServiceAssembly: Sendable {
    /// Time for a drain after SIGTERM or SIGINT; what is left then is cancelled.
    package static let drainBudget: Duration = .seconds(30)
    /// Time for cancelled services to end; then the process is ended with a crash report, because one hangs.
    package static let cancellationBudget: Duration = .seconds(10)

    /// Who this process is.
    package let configuration: ProcessConfiguration
    /// The process' own logger; services derive theirs from the same set-up.
    package let logger: Logger
    /// The process' metrics.
    package let metrics: PrometheusMetrics
    /// Where services report whether they are ready.
    package let health: HealthRegistry
    /// The loops that carry the admin server, and the product's sockets.
    package let eventLoopGroup: any EventLoopGroup
    /// How late those loops are.
    package let eventLoops: EventLoopWatch

    /// Puts the parts together without touching the process; for tests.
    package init(
        configuration: ProcessConfiguration, logger: Logger, metrics: PrometheusMetrics = PrometheusMetrics(),
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.configuration = configuration
        self.logger = logger
        self.metrics = metrics
        self.eventLoopGroup = eventLoopGroup
        let watch = EventLoopWatch(group: eventLoopGroup, metrics: metrics)
        eventLoops = watch
        health = HealthRegistry()
        health.addLivenessProbe("event loops") { watch.ailment }
    }

    /// Prepares the process: logging, metrics, signals, the limit of open files.
    ///
    /// Call it once, first thing in `main`, before anything logs or counts; logging and metrics trap at a second call.
    package static func start(_ configuration: ProcessConfiguration) -> ServiceAssembly {
        LogSetup.bootstrap(configuration)
        let metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)
        ProcessFacts.ignoreBrokenPipes()
        let openFiles = ProcessFacts.raiseOpenFilesLimit()
        let logger = Logger(label: "earshot.\(configuration.role)")
        logger.info("process prepared", metadata: ["process.open_files_maximum": "\(openFiles)"])
        return ServiceAssembly(configuration: configuration, logger: logger, metrics: metrics)
    }

    /// The group of all services: admin server first, then the given ones in the order of their dependencies.
    ///
    /// - Parameters:
    ///   - services: What others need comes first, because shutdown goes from the last to the first.
    ///   - drainBudget: Time for a graceful shutdown.
    ///   - onAdminBound: Gets the port of the admin server.
    ///   - adminRoutes: Adds routes to the admin server.
    /// - Returns: A group that has not been started.
    package func group(
        _ services: [any Service], drainBudget: Duration = ServiceAssembly.drainBudget,
        onAdminBound: @escaping @Sendable (Int) -> Void = { _ in },
        adminRoutes: @escaping AdminServer.Routes = { _ in }
    ) -> ServiceGroup {
        let admin = AdminServer(
            address: configuration.admin, health: health, metrics: metrics, eventLoopGroup: eventLoopGroup,
            logger: logger, onBound: onAdminBound, routes: adminRoutes)
        var group = ServiceGroupConfiguration(
            services: [admin, eventLoops] + services + [ShutdownNotice(health: health)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = drainBudget
        group.maximumCancellationDuration = Self.cancellationBudget
        return ServiceGroup(configuration: group)
    }

    /// Runs the group until a signal has ended it or a service has failed, and logs which.
    ///
    /// The parameters are those of `group`.
    ///
    /// - Throws: What the failed service threw.
    package func run(
        _ services: [any Service], drainBudget: Duration = ServiceAssembly.drainBudget,
        onAdminBound: @escaping @Sendable (Int) -> Void = { _ in },
        adminRoutes: @escaping AdminServer.Routes = { _ in }
    ) async throws {
        // The last lines of a process say why it ended; they must get out.
        defer { LogSetup.flush() }
        logger.notice("process started")
        do {
            try await group(
                services, drainBudget: drainBudget, onAdminBound: onAdminBound, adminRoutes: adminRoutes
            ).run()
            logger.notice("process stopped")
        } catch {
            logger.critical("process failed", metadata: ["error": "\(error)"])
            throw error
        }
    }
}
