import CoreMetrics
import EarshotModel
package import Logging

/// Writes attempts down in groups: whoever comes while a write is under way shares the next one.
package actor AttemptRecorder {
    private struct Waiting {
        let ticket: Int
        let record: AttemptRecord
        let deadline: ContinuousClock.Instant
    }

    /// What became of a record.
    package struct Written: Sendable {
        /// Whether it counted; otherwise somebody else attempts the delivery again.
        package var isCounted: Bool
        /// Its endpoint, when this record disabled it: its owner is still to be told.
        package var disabled: DisabledEndpoint?
    }

    /// Attempts in one transaction.
    private static let batchMaximum = 200

    private let store: PostgresDeliveryStore
    private let logger: Logger
    private var waiting: [Waiting] = []
    private var results: [Int: Written] = [:]
    private var followers: [CheckedContinuation<Void, Never>] = []
    private var isWriting = false
    private var nextTicket = 0
    private let lost = Counter(label: "webhook.records.lost")
    private let disabled = Counter(label: "webhook.endpoints.disabled")

    /// A recorder for a store.
    package init(store: PostgresDeliveryStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Writes an attempt down and returns when that is durable.
    ///
    /// - Parameters:
    ///   - attempt: The attempt.
    ///   - deadline: When its claim runs out; the database may be away until then.
    /// - Returns: Whether it counted, and what it did to the endpoint.
    package func record(_ attempt: AttemptRecord, before deadline: ContinuousClock.Instant) async -> Written {
        let ticket = nextTicket
        nextTicket += 1
        waiting.append(Waiting(ticket: ticket, record: attempt, deadline: deadline))
        var failures = 0
        while true {
            if let result = results.removeValue(forKey: ticket) { return result }
            if isWriting {
                await withCheckedContinuation { followers.append($0) }
                continue
            }
            isWriting = true
            let batch = Array(waiting.prefix(Self.batchMaximum))
            waiting.removeFirst(batch.count)
            if await write(batch) { failures = 0 } else { failures += 1 }
            if Task.isCancelled { lose(waiting.filter { $0.ticket == ticket }) }
            // The one who writes waits for the database; the others for it.
            if failures > 0 { await Backoff.dependency.pause(attempt: failures) }
            isWriting = false
            for follower in followers { follower.resume() }
            followers = []
        }
    }

    /// Writes a batch, and puts back what may be tried again; returns whether the database was there.
    private func write(_ batch: [Waiting]) async -> Bool {
        do throws(WebhookError) {
            let recorded = try await store.record(batch.map(\.record))
            var untold = recorded.disabled
            for entry in batch {
                results[entry.ticket] = Written(
                    isCounted: recorded.accepted.contains(entry.record.delivery),
                    disabled: untold.removeValue(forKey: entry.record.endpoint))
            }
            for (id, endpoint) in recorded.disabled {
                disabled.increment()
                logger.warning(
                    "an endpoint was disabled", metadata: ["endpoint": "\(id)", "reason": "\(endpoint.reason)"])
            }
            return true
        } catch {
            if error.code == .unavailable {
                let now = ContinuousClock.now
                logger.warning("attempts cannot be recorded yet", metadata: ["error": "\(error.message)"])
                waiting.insert(contentsOf: batch.filter { $0.deadline > now }, at: 0)
                lose(batch.filter { $0.deadline <= now })
                return false
            }
            guard batch.count == 1 else {
                // One record that is refused must not take its neighbours along.
                for entry in batch { _ = await write([entry]) }
                return true
            }
            logger.error("an attempt cannot be recorded", metadata: ["error": "\(error.message)"])
            lose(batch)
            return true
        }
    }

    private func lose(_ entries: [Waiting]) {
        for entry in entries {
            results[entry.ticket] = Written(isCounted: false)
            lost.increment()
        }
        let settled = Set(entries.map(\.ticket))
        waiting.removeAll { settled.contains($0.ticket) }
    }
}
