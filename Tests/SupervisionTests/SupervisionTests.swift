import CoreMetrics
import Logging
import ServiceLifecycle
import Supervision
import Synchronization
import TestSupport
import Testing

@Suite struct SupervisionTests {
    private struct Broken: Error {}

    private let metrics = CountingMetrics()

    private var supervision: Supervision { Supervision("test", logger: .silent, metrics: metrics) }

    /// Waits until it is cancelled.
    private static func forever() async throws {
        for await _ in AsyncStream<Never>.makeStream(bufferingPolicy: .bufferingNewest(1)).stream {}
        try Task.checkCancellation()
    }

    @Test("A finite child may finish; the one that stands for the whole ends all")
    func lifetime() async {
        let ended = Mutex(false)
        let exit = await supervision.supervise([
            SupervisedChild("short", .finite) {},
            SupervisedChild("long", .finite) {
                try? await Self.forever()
                ended.withLock { $0 = true }
            },
            SupervisedChild("connection", .whole) {},
        ])
        guard case .lifetimeEnded(child: "connection") = exit else { return #expect(exit.reason == "lifetime_ended") }
        let hasEnded = ended.withLock { $0 }
        #expect(hasEnded, "the others were cancelled and have ended")
    }

    @Test("The first failure wins and is counted")
    func failure() async {
        let exit = await supervision.supervise([
            SupervisedChild("endless", .whole) { try await Self.forever() },
            SupervisedChild("broken", .finite) { throw Broken() },
        ])
        guard case .failed(child: "broken", let error) = exit else { return #expect(exit.reason == "failed") }
        #expect(error is Broken)
        #expect(metrics.total("supervision.exits") == 1)
    }

    @Test("When all finite children have finished, so has everything; a cancelled caller is told so")
    func finished() async {
        let exit = await supervision.supervise([SupervisedChild("a", .finite) {}, SupervisedChild("b", .finite) {}])
        #expect(exit.reason == "finished")
        let reason = await withTaskGroup(of: String.self) { group in
            group.addTask {
                await supervision.supervise([SupervisedChild("a", .whole) { try await Self.forever() }]).reason
            }
            group.cancelAll()
            return await group.next()
        }
        #expect(reason == "cancelled")
    }

    @Test("What ends within the budget is not cancelled; what does not is, and is named")
    func drain() async {
        let finished = Mutex(false)
        let stuck = await supervision.drain(
            within: .milliseconds(50),
            [
                "quick": { finished.withLock { $0 = true } },
                "stuck": { try? await Self.forever() },
            ])
        let hasFinished = finished.withLock { $0 }
        #expect(stuck == ["stuck"] && hasFinished)
        #expect(metrics.total("supervision.drain.timeouts") == 1)
        let none = await supervision.drain(within: .seconds(60), ["quick": {}])
        #expect(none.isEmpty && metrics.total("supervision.drain.timeouts") == 1)
        #expect(metrics.timings("supervision.drain.duration") == 2)
    }

    @Test("A fan-out does so many at a time, all of them, and counts what failed")
    func fanOut() async {
        let state = Mutex((running: 0, most: 0, done: 0))
        let failed = await supervision.fanOut(0..<50, concurrency: 4) { number in
            state.withLock {
                $0.running += 1
                $0.most = max($0.most, $0.running)
            }
            await Task.yield()
            state.withLock {
                $0.running -= 1
                $0.done += 1
            }
            if number % 10 == 0 { throw Broken() }
        }
        let (most, done) = state.withLock { ($0.most, $0.done) }
        #expect(failed == 5 && done == 50 && (2...4).contains(most))
        #expect(metrics.total("supervision.fan_out.failures") == 5)
        #expect(metrics.timings("supervision.fan_out.duration") == 1)
    }

    @Test("A sleep ends at shutdown, and says whether it was a whole one")
    func sleepsUntilShutdown() async throws {
        #expect(await Supervision.sleepUntilShutdown(.milliseconds(1)))
        struct Sleeper: Service {
            let wasWhole: @Sendable (Bool) -> Void
            func run() async throws { wasWhole(await Supervision.sleepUntilShutdown(.seconds(600))) }
        }
        let result = Mutex<Bool?>(nil)
        let group = ServiceGroup(
            services: [Sleeper { whole in result.withLock { $0 = whole } }], logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try? await group.run() }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        // A group that is told to stop before it has started its services starts none.
        let wasWhole = result.withLock { $0 }
        #expect(wasWhole != true)
    }
}
