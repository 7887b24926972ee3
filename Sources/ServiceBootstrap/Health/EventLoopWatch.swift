import CoreMetrics
package import NIOCore
import ServiceLifecycle
import Synchronization

/// Measures how late the event loops are, and knows when one is stuck.
///
/// Every loop gets a task at a fixed interval. How late it comes is the delay that everything on that loop feels; it is
/// recorded as the timer `event_loop.delay`, and a loop whose task has not come at all for long is blocked.
package final class EventLoopWatch: Service, Sendable {
    /// Period of the measuring: ten a second cost nothing and catch every delay that a person would notice.
    package static let interval: TimeAmount = .milliseconds(100)
    /// A loop that has done nothing for this long will not come back: the longest legitimate work takes milliseconds.
    package static let blockedAfter: Duration = .seconds(30)

    private final class Probe: Sendable {
        /// Nanoseconds of the loops' clock at the last visit, and the delay found then.
        let visitedAt = Atomic<UInt64>(NIODeadline.now().uptimeNanoseconds)
        let delay = Atomic<UInt64>(0)
    }

    private let loops: [(loop: any EventLoop, probe: Probe)]
    private let timer: CoreMetrics.Timer
    private let blockedAfter: Duration

    /// Watches all loops of a group.
    ///
    /// - Parameters:
    ///   - group: The loops.
    ///   - metrics: Where the delays are recorded.
    ///   - blockedAfter: When a silent loop counts as blocked; tests make it short.
    package init(
        group: any EventLoopGroup, metrics: PrometheusMetrics, blockedAfter: Duration = EventLoopWatch.blockedAfter
    ) {
        loops = group.makeIterator().map { ($0, Probe()) }
        timer = CoreMetrics.Timer(label: "event_loop.delay", factory: metrics)
        self.blockedAfter = blockedAfter
    }

    /// How late the slowest loop is now; a loop that is stuck grows later with every call.
    package var delay: Duration {
        let now = NIODeadline.now().uptimeNanoseconds
        let worst = loops.map { _, probe in
            let silent = now &- probe.visitedAt.load(ordering: .relaxed)
            let overdue = Int64(clamping: silent) - Self.interval.nanoseconds
            return max(overdue, Int64(clamping: probe.delay.load(ordering: .relaxed)))
        }
        return .nanoseconds(max(0, worst.max() ?? 0))
    }

    /// Why the process is beyond help, or nil; made for `HealthRegistry.addLivenessProbe`.
    package var ailment: String? {
        let delay = delay
        return delay > blockedAfter ? "an event loop has been blocked for \(delay)" : nil
    }

    /// Measures until graceful shutdown or cancellation.
    package func run() async throws {
        let tasks = loops.map { loop, probe in
            probe.visitedAt.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed)
            return loop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { [timer] _ in
                Self.visit(probe, timer: timer)
            }
        }
        // Ends by cancellation, too, and needs no other treatment then.
        try? await gracefulShutdown()
        for task in tasks { task.cancel() }
    }

    private static func visit(_ probe: Probe, timer: CoreMetrics.Timer) {
        let now = NIODeadline.now().uptimeNanoseconds
        let silent = Int64(clamping: now &- probe.visitedAt.exchange(now, ordering: .relaxed))
        let late = max(0, silent - interval.nanoseconds)
        probe.delay.store(UInt64(late), ordering: .relaxed)
        timer.recordNanoseconds(late)
    }
}
