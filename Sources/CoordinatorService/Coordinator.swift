package import AudioStreams
import CoreMetrics
package import EarshotModel
package import Logging
import ServiceLifecycle
import WorkerRuntime

/// Reconciles what should exist with what does, partition by partition, under leases like every group's.
///
/// There is no leader: each action is one function that checks the lease, or its own condition, where it acts
/// (protocol.md H2). No step here awaits Postgres; the record is a worker of its own (M15).
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
    private let onReady: @Sendable (Bool, String) -> Void
    private let metrics = CoordinatorMetrics()

    private var limits: Limits { configuration.limits }

    /// A coordinator that does nothing until it runs.
    package init(
        _ configuration: Configuration, handOff: any HandOff, logger: Logger,
        onReady: @escaping @Sendable (Bool, String) -> Void = { _, _ in }
    ) {
        self.configuration = configuration
        self.handOff = handOff
        self.logger = logger
        self.onReady = onReady
    }

    /// Reconciles until a graceful shutdown, then gives its leases back.
    package func run() async throws {
        var ownership = PartitionOwnership(
            group: .coordinator, stream: nil, member: configuration.member, partitions: configuration.partitions,
            handOff: handOff, limits: limits, logger: logger)
        var gateways = GatewayWatch(limits: limits)
        var enabled: Set<Partition> = []
        var hasJoined = false
        var lastRound = ContinuousClock.now - limits.reconcileInterval
        while !Task.isCancelled && !Task.isShuttingDownGracefully {
            do throws(HandOffError) {
                if !hasJoined {
                    try await handOff.join(kind: WorkerGroup.coordinator.name, as: configuration.member)
                    hasJoined = true
                }
                let changes = await ownership.tick()
                guard changes.hadContact else { throw HandOffError(.unavailable, "Redis does not answer") }
                for partition in changes.surplus { try await release(partition, &ownership) }
                enabled.subtract(changes.lost)
                if ContinuousClock.now - lastRound >= limits.reconcileInterval {
                    lastRound = .now
                    try await reconcile(ownership.tokens, &gateways, &enabled)
                }
                onReady(true, "")
            } catch {
                gateways.contactLost(at: .now)
                onReady(false, "Redis does not answer")
                logger.warning("no contact", metadata: ["error": "\(error)"])
            }
            await Ticker.wait(limits.heartbeatInterval)
        }
        onReady(false, "draining")
        try? await handOff.leave(kind: WorkerGroup.coordinator.name, as: configuration.member)
        for partition in ownership.tokens.keys { try? await release(partition, &ownership) }
    }

    private func release(_ partition: Partition, _ ownership: inout PartitionOwnership) async throws(HandOffError) {
        if let token = ownership.tokens[partition] {
            try await handOff.release(token, group: .coordinator, partition: partition)
        }
        ownership.forget(partition)
    }

    private func reconcile(
        _ tokens: [Partition: FencingToken], _ gateways: inout GatewayWatch, _ enabled: inout Set<Partition>
    ) async throws(HandOffError) {
        let partitions = tokens.keys.sorted()
        let new = partitions.filter { !enabled.contains($0) }
        if !new.isEmpty {
            try await handOff.enable(configuration.groups, in: new)
            enabled.formUnion(new)
        }
        gateways.sawMembers(try await handOff.members(kind: WorkerGroup.gateway.name), at: .now)
        try await endOrphans(in: partitions, &gateways)
        try await settleConversations(in: tokens)
        for (partition, token) in tokens {
            try await trim(partition, token)
        }
        try await measureLag(in: partitions)
    }

    /// Ends the sessions of dead gateways; the function re-checks that the session is still that gateway's.
    private func endOrphans(
        in partitions: [Partition], _ gateways: inout GatewayWatch
    ) async throws(HandOffError) {
        var named: Set<String> = []
        var live = 0
        for (partition, sessions) in try await handOff.liveSessions(in: partitions) {
            live += sessions.count
            for (session, gateway) in sessions {
                named.insert(gateway)
                guard gateways.isDead(gateway, at: .now) else { continue }
                try await end(session, of: gateway, in: partition)
            }
        }
        metrics.liveSessions.record(live)
        gateways.forgetAbsent(except: named)
    }

    private func end(_ session: SessionID, of gateway: String, in partition: Partition) async throws(HandOffError) {
        guard let incarnation = Incarnation(gateway),
            let known = try await handOff.session(session, group: .transcript, in: partition)
        else { return }
        let outcome = try await handOff.end(
            SessionEnding(
                session: session, user: known.user, epoch: nil, gateway: incarnation, reason: .gatewayDead,
                now: WallClock.microseconds), in: partition)
        guard case .ended = outcome else { return }
        metrics.repaired("gateway_dead")
        logger.notice(
            "ended the session of a dead gateway", metadata: ["session.id": "\(session)", "gateway": "\(gateway)"])
    }

    /// Completes the conversations that are over, transcribed and recorded.
    private func settleConversations(in tokens: [Partition: FencingToken]) async throws(HandOffError) {
        let now = WallClock.microseconds
        for (partition, conversations) in try await handOff.conversations(in: Array(tokens.keys)) {
            guard let token = tokens[partition] else { continue }
            for conversation in conversations {
                var outcome = try await handOff.settle(
                    conversation, times: 0, in: partition, now: now, token: token)
                if case .completedBefore(let times) = outcome {
                    outcome = try await handOff.settle(
                        conversation, times: times, in: partition, now: now, token: token)
                }
                if outcome == .completed { metrics.conversationsCompleted.increment() }
            }
        }
    }

    private func trim(_ partition: Partition, _ token: FencingToken) async throws(HandOffError) {
        for stream in [StreamKind.audio, .events, .speakerSample] {
            let removed = try await handOff.trim(stream, in: partition, token: token, group: .coordinator)
            if removed > 0 { metrics.trimmed(stream, Int(removed)) }
        }
    }

    /// The lag of every enabled group, as one sum over this coordinator's partitions.
    private func measureLag(in partitions: [Partition]) async throws(HandOffError) {
        for (stream, groups) in configuration.groups.byStream {
            for group in groups {
                let lags = try await handOff.lag(of: group, stream: stream, in: partitions)
                metrics.lag(group, lags.reduce(0) { $0 + ($1.entries ?? 0) })
                let unknown = lags.count { $0.entries == nil }
                metrics.lagUnknown(group, unknown)
                if unknown > 0 {
                    logger.error("the lag is unknown", metadata: ["group": "\(group)", "partitions": "\(unknown)"])
                }
            }
        }
    }
}
