import CoreMetrics
package import EarshotModel
package import Logging
import ServiceLifecycle
package import SessionRecord
import Supervision

/// Keeps the ledger's totals as gauges: one bounded query of the record at a time, beside the reconciliation (M15).
///
/// Every replica shows the same numbers; their maximum over the replicas is meant, not their sum.
package struct LedgerGauges: Service {
    private let record: PostgresSessionRecord
    private let limits: Limits
    private let logger: Logger
    private let factory: any MetricsFactory

    /// Gauges that are not set until it runs.
    package init(record: PostgresSessionRecord, limits: Limits, logger: Logger) {
        self.record = record
        self.limits = limits
        self.logger = logger
        factory = MetricsSystem.factory
    }

    /// Looks until a graceful shutdown.
    package func run() async throws {
        let failures = Counter(label: "ledger.failures", factory: factory)
        while !Task.isCancelled && !Task.isShuttingDownGracefully {
            do throws(SessionRecordError) {
                let window = Int64(limits.ledgerWindow / .microseconds(1))
                show(
                    try await record.ledgerTotals(
                        endedSince: WallClock.microseconds - window, limit: limits.ledgerSessionsMaximum))
            } catch {
                failures.increment()
                logger.notice("the ledger could not be added up", metadata: ["error": "\(error)"])
            }
            await Supervision.sleepUntilShutdown(limits.ledgerInterval)
        }
    }

    private func show(_ totals: LedgerTotals) {
        Gauge(label: "ledger.sessions", factory: factory).record(totals.sessions)
        let states = [
            ("stored", totals.stored), ("not_stored", totals.notStored), ("in_flight", totals.inFlight),
            ("unaccounted", totals.unaccounted),
        ]
        for (state, count) in states {
            Gauge(label: "ledger.messages", dimensions: [("state", state)], factory: factory).record(count)
        }
        Gauge(label: "ledger.messages.lost", dimensions: [("reason", "not_resent")], factory: factory)
            .record(totals.notResent)
    }
}
