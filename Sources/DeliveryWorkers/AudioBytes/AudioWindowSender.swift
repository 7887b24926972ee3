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
    }

    private let sender: WebhookSender
    private let limits: DeliveryLimits
    private let queue = Mutex(Queue())
    private let signal = Signal()
    private let windows = Counter(label: "audio_bytes.windows", dimensions: [("result", "delivered")])
    private let failed = Counter(label: "audio_bytes.windows", dimensions: [("result", "failed")])

    /// A sender on top of the one that webhooks use.
    package init(sender: WebhookSender, limits: DeliveryLimits) {
        self.sender = sender
        self.limits = limits
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
                    for channel in due { tasks.addTask { await self.send(channel) } }
                    await self.signal.wait(until: next)
                }
            }
        }
    }

    /// Channels whose time has come, as many as there are slots; and when to look again.
    private func takeDue(now: ContinuousClock.Instant) -> ([WindowChannel], ContinuousClock.Instant) {
        queue.withLock { queue in
            var due: [WindowChannel] = []
            var later: [WindowChannel] = []
            var next = now + limits.pollInterval
            for channel in queue.ready {
                let notBefore = channel.withQueue(\.notBefore)
                if notBefore <= now, queue.inFlight + due.count < limits.slots {
                    due.append(channel)
                } else {
                    later.append(channel)
                    if notBefore > now { next = min(next, notBefore) }
                }
            }
            queue.ready = later
            queue.inFlight += due.count
            return (due, next)
        }
    }

    private func send(_ channel: WindowChannel) async {
        if let (window, skipped) = channel.withQueue({ $0.next(now: .now) }) {
            let outcome = await sender.send(channel.webhook(window, skipped: skipped))
            channel.withQueue { queue in
                switch outcome.verdict {
                case .delivered: queue.succeed(announced: skipped)
                case .gone: queue.close()
                case .failed(let asked): queue.fail(retryAt: .now + pause(after: queue.failures, asked: asked))
                case .notSent: queue.fail(retryAt: .now + limits.recordStep)
                }
            }
            (outcome.verdict == .delivered ? windows : failed).increment()
        }
        queue.withLock { queue in
            queue.inFlight -= 1
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

    /// Live audio is retried soon, or not at all: from a second to the length of an exchange.
    private func pause(after failures: Int, asked: Duration?) -> Duration {
        let doubled = limits.recordStep * (1 << min(failures, 4))
        return max(min(doubled, limits.totalTimeout), min(asked ?? .zero, limits.endpointPauseMaximum))
    }
}
