import Dispatch
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import ServiceBootstrap

@Suite("The event loop watch")
struct EventLoopWatchTests {
    @Test("A blocked loop is late, then an ailment, and recovers")
    func blocked() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let bound: Duration = .milliseconds(300)
        let metrics = PrometheusMetrics(includesProcess: false)
        let watch = EventLoopWatch(group: group, metrics: metrics, blockedAfter: bound)
        let gate = DispatchSemaphore(value: 0)
        await withTaskGroup { tasks in
            tasks.addTask { try? await watch.run() }
            group.next().execute { gate.wait() }
            #expect(await Self.comesTrue { watch.ailment?.contains("blocked") == true })
            #expect(watch.delay > bound)
            gate.signal()
            #expect(await Self.comesTrue { watch.ailment == nil })
            #expect(metrics.render().contains("earshot_event_loop_delay_seconds_count"))
            tasks.cancelAll()
        }
        try await group.shutdownGracefully()
    }

    /// Yields to others until the condition holds; time itself is what is waited for here.
    private static func comesTrue(_ condition: () -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(60)
        while !condition() {
            guard ContinuousClock.now < deadline else { return false }
            await Task.yield()
        }
        return true
    }
}
