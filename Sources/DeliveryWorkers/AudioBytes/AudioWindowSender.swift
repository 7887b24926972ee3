import CoreMetrics
import EarshotModel
import ServiceLifecycle
import Synchronization
package import WebhookDelivery
import WorkerRuntime

/// Sends the windows of all sessions of a process, in bounded slots; one at a time per session and endpoint.
package final class AudioWindowSender: Service {
    private struct Queue {
        var ready: [WindowChannel] = []
        /// Which channels are in `ready` or being sent, so that each is there once.
        var known: Set<ObjectIdentifier> = []
        var inFlight = 0
        /// Those of them to endpoints that were not proven.
        var unprovenInFlight = 0
        /// Endpoints something is owed to.
        var paces: [UniqueID: EndpointPace] = [:]
    }

    private let sender: WebhookSender
    private let limits: DeliveryLimits
    private let attempts: AudioAttemptReporter
    private let queue = Mutex(Queue())
    private let signal = Signal()
    private let windows = Counter(label: "audio_bytes.windows", dimensions: [("result", "delivered")])
    private let failed = Counter(label: "audio_bytes.windows", dimensions: [("result", "failed")])

    /// A sender on top of the one that webhooks use; what became of requests it tells a reporter.
    package init(sender: WebhookSender, limits: DeliveryLimits, attempts: AudioAttemptReporter) {
        self.sender = sender
        self.limits = limits
        self.attempts = attempts
    }

    /// A channel may have something to send.
    func offer(_ channel: WindowChannel) {
        let isNew = queue.withLock { queue in
            guard queue.known.insert(ObjectIdentifier(channel)).inserted else { return false }
            queue.ready.append(channel)
            return true
        }
        if isNew { signal.raise() }
    }

    /// Sends until a graceful shutdown or a cancellation.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { tasks in
                while !Task.isCancelled {
                    let (due, next) = self.takeDue(now: .now)
                    for (channel, isProven) in due { tasks.addTask { await self.send(channel, isProven: isProven) } }
                    await self.signal.wait(until: next)
                }
            }
        }
    }

    /// Channels whose time has come, as many as slots and their endpoints allow; and when to look again.
    private func takeDue(
        now: ContinuousClock.Instant
    ) -> (due: [(channel: WindowChannel, isProven: Bool)], next: ContinuousClock.Instant) {
        queue.withLock { queue in
            var due: [(channel: WindowChannel, isProven: Bool)] = []
            var later: [WindowChannel] = []
            var next = now + limits.pollInterval
            for channel in queue.ready {
                // As with events: half of the slots are kept for endpoints that answer.
                let isProven = sender.gates.isProven(channel.endpoint)
                let free = min(
                    limits.slots - queue.inFlight,
                    isProven ? limits.slots : limits.unprovenSlots - queue.unprovenInFlight)
                switch self.verdict(on: channel, queue, free: free, now: now) {
                case .now:
                    queue.inFlight += 1
                    if !isProven { queue.unprovenInFlight += 1 }
                    due.append((channel, isProven))
                    let rate = channel.bounds.rate
                    queue.paces[channel.endpoint, default: EndpointPace(now: now)].begin(rate: rate, now: now)
                case .at(let instant):
                    later.append(channel)
                    next = min(next, instant)
                case .later: later.append(channel)
                }
            }
            if queue.paces.count >= limits.gatesMaximum {
                queue.paces = queue.paces.filter { !$0.value.isIdle(now: now) }
            }
            queue.ready = later
            return (due, next)
        }
    }

    private func verdict(
        on channel: WindowChannel, _ queue: Queue, free: Int, now: ContinuousClock.Instant
    ) -> EndpointPace.Verdict {
        let notBefore = channel.withQueue(\.notBefore)
        guard notBefore <= now else { return .at(notBefore) }
        guard free > 0 else { return .later }
        guard let pace = queue.paces[channel.endpoint] else { return .now }
        let bounds = channel.bounds
        // No endpoint gets more than a quarter of the slots, as with events.
        return pace.verdict(concurrency: min(bounds.concurrency, max(1, limits.slots / 4)), rate: bounds.rate, now: now)
    }

    private func send(_ channel: WindowChannel, isProven: Bool) async {
        if let (window, skipped) = channel.withQueue({ $0.next(now: .now) }) {
            let webhook = channel.webhook(window, skipped: skipped, at: WallClock.microseconds)
            let outcome = await sender.send(webhook)
            report(outcome, webhook.id, window, channel)
            channel.withQueue { queue in
                switch outcome.verdict {
                case .delivered: queue.succeed(announced: skipped, now: .now)
                case .gone: queue.close()
                case .failed(let asked): queue.fail(retryAt: .now + pause(after: queue.failures, asked: asked))
                case .notSent: queue.fail(retryAt: .now + limits.recordStep)
                }
            }
            (outcome.verdict == .delivered ? windows : failed).increment()
        }
        queue.withLock { queue in
            queue.inFlight -= 1
            if !isProven { queue.unprovenInFlight -= 1 }
            queue.paces[channel.endpoint]?.end()
            // Looked at under the lock: a window that is offered meanwhile is seen here, or by `offer` afterwards.
            if channel.withQueue(\.isReady) {
                queue.ready.append(channel)
            } else {
                queue.known.remove(ObjectIdentifier(channel))
            }
        }
        channel.settled.raise()
        signal.raise()
    }

    /// Passes on what became of a request, and leaves the endpoint alone if its receiver asked for it.
    private func report(
        _ outcome: AttemptOutcome, _ id: String, _ window: AudioWindow, _ channel: WindowChannel
    ) {
        guard outcome.verdict != .notSent else { return }
        var attempt = AudioAttempt(
            id: id, endpoint: channel.endpoint.description, sequence: window.sequence, at: outcome.log.at,
            milliseconds: outcome.log.milliseconds, isDelivered: outcome.verdict == .delivered)
        attempt.status = outcome.log.status
        attempt.error = outcome.log.error
        attempt.remote = outcome.log.remote
        attempt.response = outcome.log.response
        if case .failed(let asked?) = outcome.verdict {
            let pause = min(asked, limits.endpointPauseMaximum)
            attempt.pause = pause.microseconds
            queue.withLock { $0.paces[channel.endpoint]?.pause(until: .now + pause) }
        }
        attempts.report(
            AudioAttemptReporter.Report(
                session: channel.session, user: channel.user, conversation: channel.conversation, attempt: attempt))
    }

    /// Live audio is retried soon, or not at all: from a second to the length of an exchange.
    private func pause(after failures: Int, asked: Duration?) -> Duration {
        let doubled = limits.recordStep * (1 << min(failures, 4))
        return max(min(doubled, limits.totalTimeout), min(asked ?? .zero, limits.endpointPauseMaximum))
    }
}
