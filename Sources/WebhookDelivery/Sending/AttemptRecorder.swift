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

    /// Attempts in one transaction.
    private static let batchMaximum = 200

    private let store: PostgresDeliveryStore
    private let logger: Logger
    private var waiting: [Waiting] = []
    private var results: [Int: Bool] = [:]
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
    /// - Returns: Whether it counted; otherwise somebody else attempts the delivery again.
    package func record(_ attempt: AttemptRecord, before deadline: ContinuousClock.Instant) async -> Bool {
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
            if Task.isCancelled { settle(waiting.filter { $0.ticket == ticket }, as: false) }
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
            for entry in batch { results[entry.ticket] = recorded.accepted.contains(entry.record.delivery) }
            for (endpoint, reason) in recorded.disabled {
                disabled.increment()
                logger.warning(
                    "an endpoint was disabled", metadata: ["endpoint": "\(endpoint)", "reason": "\(reason)"])
            }
            return true
        } catch {
            if error.code == .unavailable {
                let now = ContinuousClock.now
                logger.warning("attempts cannot be recorded yet", metadata: ["error": "\(error.message)"])
                waiting.insert(contentsOf: batch.filter { $0.deadline > now }, at: 0)
                settle(batch.filter { $0.deadline <= now }, as: false)
                return false
            }
            guard batch.count == 1 else {
                // One record that is refused must not take its neighbours along.
                for entry in batch { _ = await write([entry]) }
                return true
            }
            logger.error("an attempt cannot be recorded", metadata: ["error": "\(error.message)"])
            settle(batch, as: false)
            return true
        }
    }

    private func settle(_ entries: [Waiting], as result: Bool) {
        for entry in entries {
            results[entry.ticket] = result
            lost.increment()
        }
        let settled = Set(entries.map(\.ticket))
        waiting.removeAll { settled.contains($0.ticket) }
    }
}
