package import AudioStreams
package import CoreMetrics
package import EarshotModel
package import Logging
import ServiceLifecycle
package import SessionRecord
import Supervision

/// Ends the sessions that the record shows as live and of which the registry knows nothing: Redis lost them.
///
/// Nobody else would: their gateways closed them, and there was nothing left to end. It asks Postgres, so it stands
/// beside the reconciliation (protocol.md M15). Every replica does it; the event's id derives from the session, so that
/// it is recorded and delivered once.
package struct ForgottenSessions: Service {
    private let record: any SessionRecord
    private let handOff: any HandOff
    private let partitions: Int
    private let limits: Limits
    private let logger: Logger
    private let metrics: CoordinatorMetrics
    private let failures: Counter

    /// A service that does nothing until it runs.
    package init(
        record: any SessionRecord, handOff: any HandOff, partitions: Int, limits: Limits,
        metrics: any MetricsFactory = MetricsSystem.factory, logger: Logger
    ) {
        self.record = record
        self.handOff = handOff
        self.partitions = partitions
        self.limits = limits
        self.logger = logger
        self.metrics = CoordinatorMetrics(factory: metrics)
        failures = Counter(label: "coordinator.forgotten.failures", factory: metrics)
    }

    /// Looks until a graceful shutdown.
    package func run() async throws {
        while !Task.isCancelled && !Task.isShuttingDownGracefully {
            await Supervision.sleepUntilShutdown(limits.forgottenInterval)
            do {
                try await look()
            } catch {
                failures.increment()
                logger.notice("forgotten sessions could not be looked for", metadata: ["error": "\(error)"])
            }
        }
    }

    private func look() async throws {
        // A completed session is forgotten after a day, which a record that is behind may not have heard of.
        let all = (0..<partitions).map { Partition($0) }
        let lags = try await handOff.lag(of: .record, stream: .events, in: all)
        let recorded = Set(lags.filter { $0.entries == 0 }.map(\.partition))
        var place: SessionPlace?
        repeat {
            let page = try await record.sessions(
                activeOnly: true, user: nil, before: place, limit: limits.forgottenBatchMaximum)
            for row in page {
                guard let session = SessionID(row.id), let user = UserID(row.uid) else { continue }
                let partition = Partition(of: user, count: partitions)
                // Read behind the record: a session is registered before its beginning is an event.
                guard recorded.contains(partition),
                    try await handOff.session(session, group: .transcript, in: partition) == nil
                else { continue }
                try await end(session, row, in: partition)
            }
            place = page.count == limits.forgottenBatchMaximum ? page.last.map(SessionPlace.init) : nil
        } while place != nil && !Task.isShuttingDownGracefully
    }

    private func end(_ session: SessionID, _ row: RecordedSession, in partition: Partition) async throws {
        var event = SessionEvent(
            type: .sessionEnded, group: WorkerGroup.coordinator.name, uid: row.uid, session: session,
            conversation: row.conversation, time: WallClock.microseconds, ordinal: 0)
        event.reason = EndReason.redisRollback.name
        event.frames = 0
        // How many messages it had is not known: at least one.
        event.lostFrames = 1
        event.audioSeconds = row.audioSeconds ?? 0
        event.corruptFrames = 0
        try await handOff.append(event: event, in: partition)
        metrics.repaired(.sessionForgotten)
        logger.warning(
            "ended a session that Redis has lost",
            metadata: ["session.id": "\(session)", "kind": "\(Repair.sessionForgotten.rawValue)"])
    }
}
