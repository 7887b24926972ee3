package import AudioStreams
package import CoreMetrics
package import EarshotModel
package import Logging
import ServiceLifecycle
import Supervision

/// Reconciles what should exist with what does, partition by partition, under leases like every group's.
///
/// There is no leader: each action is one function that checks the lease, or its own condition, where it acts
/// (protocol.md H2). No step here awaits Postgres; the record is a worker of its own (M15). Leases are kept by a loop
/// beside the reconciliation, so that a long round loses none.
package struct Coordinator: Service {
    /// What a coordinator runs with.
    package struct Configuration: Sendable {
        package var member: Incarnation
        package var partitions: Int
        package var groups: EnabledGroups
        package var limits: Limits

        /// Makes a configuration; only the groups it enables count for trimming and completion (C6).
        package init(
            member: Incarnation, partitions: Int, groups: EnabledGroups = EnabledGroups(), limits: Limits = Limits()
        ) {
            self.member = member
            self.partitions = partitions
            self.groups = groups
            self.limits = limits
        }
    }

    private let configuration: Configuration
    private let handOff: any HandOff
    private let logger: Logger
    private let factory: any MetricsFactory
    private let onReady: @Sendable (Bool, String) -> Void

    /// A coordinator that does nothing until it runs.
    ///
    /// The counters are kept in `metrics`; tests pass their own.
    package init(
        _ configuration: Configuration, handOff: any HandOff, metrics: any MetricsFactory = MetricsSystem.factory,
        logger: Logger, onReady: @escaping @Sendable (Bool, String) -> Void = { _, _ in }
    ) {
        self.configuration = configuration
        self.handOff = handOff
        self.logger = logger
        self.factory = metrics
        self.onReady = onReady
    }

    /// Reconciles until a graceful shutdown, then gives its leases back.
    package func run() async throws {
        let book = LeaseBook()
        let keeper = LeaseKeeper(
            configuration: configuration, handOff: handOff, logger: logger, book: book, onReady: onReady)
        let supervision = Supervision("coordinator", logger: logger, metrics: factory)
        let exit = await supervision.supervise([
            SupervisedChild("leases", .finite) { await keeper.run() },
            SupervisedChild("reconciliation", .finite) { await self.reconcile(under: book, supervision) },
        ])
        if case .failed(_, let error) = exit { throw error }
    }

    private func reconcile(under book: LeaseBook, _ supervision: Supervision) async {
        let limits = configuration.limits
        var reconciliation = Reconciliation(
            configuration: configuration, handOff: handOff, metrics: CoordinatorMetrics(factory: factory),
            supervision: supervision, logger: logger)
        while !Task.isCancelled && !Task.isShuttingDownGracefully {
            await reconciliation.round(under: book)
            await Supervision.sleepUntilShutdown(limits.reconcileInterval)
        }
    }
}
