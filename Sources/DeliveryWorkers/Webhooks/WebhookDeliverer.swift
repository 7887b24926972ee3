import CoreMetrics
package import EarshotModel
package import Logging
import ServiceLifecycle
import Synchronization
package import WebhookDelivery
import WorkerRuntime

/// Attempts the deliveries that are due, in a bounded number of slots, fairly over endpoints.
///
/// It looks at the database when it is woken, when something becomes due, and every second, because another process may
/// have written. Who writes what it did is `AttemptRecorder`.
package final class WebhookDeliverer: Service {
    private let store: PostgresDeliveryStore
    private let sender: WebhookSender
    private let recorder: AttemptRecorder
    private let conversations: any ConversationSource
    private let limits: DeliveryLimits
    private let schedule: RetrySchedule
    private let bodies: WebhookBody
    private let notify: @Sendable (UserID, String) async -> Void
    private let logger: Logger
    private let signal = Signal()
    private let inFlight = Mutex(0)
    /// What could not be read at the last look, so that each is told once.
    private let unreadable = Mutex<[String: String]>([:])
    private let slotsInUse = Gauge(label: "webhook.deliveries.in_flight")
    private let latency = Timer(label: "webhook.delivery.latency")
    private let stale = Counter(label: "webhook.deliveries.stale")

    /// A deliverer; `notify` sends a text frame to a user's open sessions.
    package init(
        store: PostgresDeliveryStore, sender: WebhookSender, conversations: any ConversationSource,
        limits: DeliveryLimits, logger: Logger, notify: @escaping @Sendable (UserID, String) async -> Void
    ) {
        self.store = store
        self.sender = sender
        self.conversations = conversations
        self.limits = limits
        self.logger = logger
        self.notify = notify
        recorder = AttemptRecorder(store: store, logger: logger)
        schedule = RetrySchedule(limits)
        bodies = WebhookBody(limits)
    }

    /// Says that there may be something to deliver.
    package func wake() { signal.raise() }

    /// Delivers until a graceful shutdown, which waits for the attempts under way, or a cancellation.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { tasks in
                tasks.addTask { await self.keepHouse() }
                var failures = 0
                while !Task.isCancelled && !Task.isShuttingDownGracefully {
                    do throws(WebhookError) {
                        let claimed = try await store.claim(slots: freeSlots, gates: sender.gates)
                        failures = 0
                        report(claimed.unreadable)
                        for delivery in claimed.deliveries { begin(delivery, in: &tasks) }
                        if claimed.deliveries.isEmpty { await signal.wait(until: nextLook(after: claimed)) }
                    } catch {
                        failures += 1
                        logger.warning("deliveries cannot be read", metadata: ["error": "\(error.message)"])
                        await cancelWhenGracefulShutdown { [failures] in
                            await Backoff.dependency.pause(attempt: failures)
                        }
                    }
                }
            }
        } onGracefulShutdown: {
            self.signal.raise()
        }
    }

    /// Says which rows cannot be read, when they are other ones than before.
    private func report(_ found: [String: String]) {
        let known = unreadable.withLock { last in
            defer { last = found }
            return last
        }
        for (id, reason) in found where known[id] != reason {
            logger.error("a row of webhooks cannot be read", metadata: ["id": "\(id)", "reason": "\(reason)"])
        }
    }

    private var freeSlots: Int { limits.slots - inFlight.withLock(\.self) }

    private func nextLook(after claimed: PostgresDeliveryStore.Claimed) -> ContinuousClock.Instant {
        let now = ContinuousClock.now
        let wait = max(min(claimed.next ?? limits.pollInterval, limits.pollInterval), limits.pollPause)
        guard let opens = sender.gates.opensAt(claimed.held) else { return now + wait }
        return min(now + wait, max(opens, now + limits.pollPause))
    }

    private func begin(_ delivery: ClaimedDelivery, in tasks: inout DiscardingTaskGroup) {
        let deadline = ContinuousClock.now + limits.claimDuration
        change(by: 1)
        tasks.addTask {
            await self.deliver(delivery, before: deadline)
            self.change(by: -1)
            self.wake()
        }
    }

    private func change(by difference: Int) {
        slotsInUse.record(
            inFlight.withLock { count in
                count += difference
                return count
            })
    }

    // MARK: One delivery

    private func deliver(_ delivery: ClaimedDelivery, before deadline: ContinuousClock.Instant) async {
        do throws(WebhookError) {
            switch try await body(of: delivery) {
            case .ready(let body): await attempt(delivery, body, before: deadline)
            case .later: try await store.giveBack([delivery], after: pauseForRecord(of: delivery))
            case .never(let reason):
                let log = AttemptLog(at: WallClock.microseconds, milliseconds: 0, error: reason)
                let record = AttemptRecord(
                    of: delivery, result: .dead(disables: false), failures: delivery.failures, log: log,
                    wasSent: false)
                _ = await recorder.record(record, before: deadline)
            case .stale: stale.increment()
            }
        } catch {
            // The claim runs out, and the delivery is due again.
            logger.warning("a delivery waits", metadata: ["webhook.id": "\(delivery.id)", "error": "\(error.message)"])
        }
    }

    private func attempt(
        _ delivery: ClaimedDelivery, _ body: String, before deadline: ContinuousClock.Instant
    ) async {
        let webhook = OutgoingWebhook(delivery, body: body, now: WallClock.microseconds)
        let outcome = await sender.send(webhook)
        let record: AttemptRecord
        switch outcome.verdict {
        case .notSent:
            try? await store.giveBack([delivery], after: limits.recordStep)
            return
        case .delivered: record = AttemptRecord(of: delivery, result: .delivered, failures: 0, log: outcome.log)
        case .gone:
            record = AttemptRecord(
                of: delivery, result: .dead(disables: true), failures: delivery.failures + 1, log: outcome.log)
        case .failed(let retryAfter):
            let failures = delivery.failures + 1
            let next = schedule.next(
                failures: failures, retryAfter: retryAfter, isStrict: delivery.endpoint.isStrict,
                chance: .random(in: 0...1))
            let result: AttemptRecord.Result =
                switch next {
                case .retry(let pause, let holdsLane): .retry(pause, holdsLane: holdsLane)
                case .dead: .dead(disables: false)
                }
            record = AttemptRecord(
                of: delivery, result: result, failures: failures, log: outcome.log,
                pause: retryAfter.map { min($0, limits.endpointPauseMaximum) })
        }
        let written = await recorder.record(record, before: deadline)
        if let disabled = written.disabled, let user = disabled.user { await notify(user, disabled.notice) }
        guard written.isCounted else { return stale.increment() }
        guard outcome.verdict == .delivered else { return }
        latency.recordMilliseconds((delivery.age + .milliseconds(outcome.log.milliseconds)).milliseconds)
        await passOn(outcome.body, of: delivery)
    }

    /// A message in the answer of an Omi endpoint goes to the user's open sessions (omi.md 4.4).
    private func passOn(_ answer: [UInt8], of delivery: ClaimedDelivery) async {
        guard delivery.endpoint.dialect == .omi, let message = OmiReply.message(in: answer),
            let user = UserID(delivery.uid)
        else { return }
        await notify(user, OmiReply.notification(title: delivery.endpoint.owner.noticeTitle, message: message))
    }

    // MARK: Bodies out of the record

    private enum Body {
        case ready(String)
        /// The record is not as far as the event.
        case later
        case never(String)
        /// Somebody else has the delivery now.
        case stale
    }

    private func body(of delivery: ClaimedDelivery) async throws(WebhookError) -> Body {
        if let body = delivery.body { return .ready(body) }
        guard let event = delivery.source.flatMap(EventFanOut.event(source:)) else { return .never("it has no body") }
        let snapshot = try await conversations.conversation(
            event.conversation, of: event.uid, asOf: event.time)
        let hasWaited = delivery.age >= limits.recordWait
        guard let snapshot, snapshot.isComplete || hasWaited else {
            guard hasWaited else { return .later }
            return .never("after \(limits.recordWait) the record has no conversation \(event.conversation)")
        }
        guard let body = bodies.body(of: event, snapshot, in: delivery.endpoint.dialect) else {
            return .never(EventFanOut.tooLarge)
        }
        return try await store.setBody(body, of: delivery) ? .ready(body) : .stale
    }

    /// The record may be far behind: who has waited long looks seldom.
    private func pauseForRecord(of delivery: ClaimedDelivery) -> Duration {
        min(max(limits.recordStep, delivery.age / 10), limits.recordStepMaximum)
    }

    // MARK: Beside deliveries

    /// Takes replays a step further and removes what was kept long enough.
    private func keepHouse() async {
        var cleanAt = ContinuousClock.now
        while !Task.isCancelled && !Task.isShuttingDownGracefully {
            do throws(WebhookError) {
                while try await store.stepReplay() != nil { wake() }
                if ContinuousClock.now >= cleanAt {
                    let removed = try await store.cleanUp()
                    if removed < limits.cleanUpRows { cleanAt = .now + limits.cleanUpInterval }
                }
            } catch {
                logger.debug("housekeeping waits", metadata: ["error": "\(error.message)"])
            }
            await Ticker.wait(limits.pollInterval)
        }
    }
}
