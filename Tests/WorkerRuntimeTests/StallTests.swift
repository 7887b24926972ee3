import AudioStreams
import EarshotModel
import NIOCore
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import WorkerRuntime

@Suite("Worker: work that hangs", .timeLimit(.minutes(2)))
struct StallTests {
    /// Calls that no cancellation ends.
    private final class HungCalls: Sendable {
        private let state = Mutex<[CheckedContinuation<Void, Never>]>([])

        var count: Int { state.withLock(\.count) }

        func hang() async {
            await withCheckedContinuation { continuation in state.withLock { $0.append(continuation) } }
        }

        func end() { for continuation in state.withLock(\.self) { continuation.resume() } }
    }

    private static let poison = ByteBuffer(string: "it hangs")

    private static var limits: Limits {
        var limits = RuntimeFixture.limits
        limits.leaseLapse = .milliseconds(600)
        limits.stallTimeout = .seconds(1)
        return limits
    }

    @Test("M3 (with H5): a call that hangs ends its worker; three convict the entry that was in hand, and no bystander")
    func hung() async throws {
        try await RuntimeFixture.with(.memory, partitions: 2, limits: Self.limits) { fixture in
            var ledger = ByteLedger()
            var discarded = ByteLedger()
            var devices: [TestDevice] = []
            for number in 0..<8 { devices.append(try await TestDevice(fixture, user: "user\(number)")) }
            #expect(Set(devices.map(\.partition)).count == 2, "the users cover the partitions")
            for step in 0..<6 {
                for index in devices.indices { try await devices[index].send(2, noting: &ledger) }
                if step == 3 { try await devices[2].send([Self.poison], noting: &discarded) }
            }
            for device in devices { try await device.end() }
            let hung = devices[2].partition
            let factory = ByteCounter.Factory(bytesPerEvent: 50) { _, frame in
                guard frame.bytes == Self.poison else { return }
                // tidy:allow Task.sleep it hangs until its worker has given up
                try await Task.sleep(for: .seconds(600))
            }
            // The first one hangs in normal running, where nothing is named.
            for number in 0..<4 {
                let worker = fixture.makeWorker("worker-\(number)", factory: factory)
                let error = await #expect(throws: Worker.Stalled.self) { try await worker.services.run() }
                #expect(error.map { "\($0)" } == "a lane of partition \(hung) hangs")
                let leases = try await fixture.handOff.sightings(of: fixture.all, group: fixture.group)
                // What hung is suspected, so its lease lapses; nothing is held against the other partition.
                #expect(leases.filter { !$0.value.isReleased }.map(\.key) == [hung])
            }
            try await fixture.withWorker("worker-4", factory: factory) { worker in
                try await fixture.untilDrained()
                #expect(worker.count("dead_letters") == 1)
            }
            let events = try await fixture.events()
            #expect(ledger.violations(in: events).isEmpty && events.count(where: \.isEnd) == devices.count)
            let memory = try #require(fixture.handOff as? InMemoryHandOff)
            let letters = fixture.all.flatMap { memory.deadLetters(of: fixture.group, in: $0) }
            #expect(letters.map(\.reason) == ["crashed its worker 3 times"])
            let entry = try AudioEntry(decoding: try #require(letters.first).entry.payload)
            #expect(entry.session == devices[2].id && entry.frames == [Self.poison])
        }
    }

    @Test("M3: a call that hangs and cannot be cancelled is told before it is waited for, so that the process can end")
    func uncancellable() async throws {
        try await RuntimeFixture.with(.memory, partitions: 1, limits: Self.limits) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "user0")
            try await device.send([Self.poison], noting: &ledger)
            let inHand = Mutex<CheckedContinuation<Void, Never>?>(nil)
            let factory = ByteCounter.Factory(bytesPerEvent: 50) { _, _ in
                await withCheckedContinuation { continuation in inHand.withLock { $0 = continuation } }
            }
            let worker = Worker(
                Worker.Configuration(
                    group: fixture.group, routing: .sessions(wanted: .transcript),
                    member: Incarnation(startingAs: "worker-0"), partitions: 1, limits: Self.limits),
                handOff: fixture.handOff, reader: fixture.makeReader(), factory: factory, logger: RedisFleet.logger,
                onStalled: { inHand.withLock { $0.take() }?.resume() })
            // Were it not told, the call would never return, nor would this.
            await #expect(throws: Worker.Stalled.self) { try await worker.run() }
        }
    }

    @Test(
        "M3: a call that hangs while its partition moves to another worker ends its worker all the same",
        arguments: [Partition(0), Partition(1)])
    func hungWhileMoving(partition: Partition) async throws {
        var limits = Self.limits
        limits.stallTimeout = .seconds(3)
        limits.handOverBudget = .milliseconds(100)
        try await RuntimeFixture.with(.memory, partitions: 2, limits: limits) { fixture in
            var ledger = ByteLedger()
            for number in 0..<10 {
                var device = try await TestDevice(fixture, user: "user\(number)")
                if device.partition == partition { try await device.send([Self.poison], noting: &ledger) }
            }
            let calls = HungCalls()
            let factory = ByteCounter.Factory(bytesPerEvent: 50) { _, _ in await calls.hang() }
            let worker = Worker(
                Worker.Configuration(
                    group: fixture.group, routing: .sessions(wanted: .transcript),
                    member: Incarnation(startingAs: "worker-0"), partitions: 2, limits: limits),
                handOff: fixture.handOff, reader: fixture.makeReader(), factory: factory, logger: RedisFleet.logger,
                onStalled: { calls.end() })
            // With two of them either partition may be the one that moves: both are tried.
            let other = fixture.makeWorker("worker-1", factory: ByteCounter.Factory(bytesPerEvent: 50)).services
            await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    try await eventually("it hangs") { calls.count > 0 }
                    try await other.run()
                }
                await #expect(throws: Worker.Stalled.self) { try await worker.run() }
                tasks.cancelAll()
            }
        }
    }

    // MARK: The decision

    private let start = ContinuousClock.now

    private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    private func hung(_ work: [WorkInHand], at seconds: Int, contactLost: Int? = nil) -> Set<Partition> {
        var limits = Limits()
        limits.stallTimeout = .seconds(10)
        limits.laneStallTimeout = .seconds(100)
        var watch = StallWatch(limits: limits, from: start)
        if let contactLost { watch.contactLost(at: at(contactLost)) }
        let pairs = work.enumerated().map { (Partition($0.offset), $0.element) }
        return watch.hung(in: Dictionary(uniqueKeysWithValues: pairs), at: at(seconds))
    }

    private func work(progress: Int, call: Int? = nil, isExplained: Bool = false) -> WorkInHand {
        let since = call.map { at($0) }
        return WorkInHand(
            lastProgressAt: at(progress), callSince: since, unexplainedSince: isExplained ? nil : since)
    }

    @Test("M3: a lane with nothing to do is not hung, nor is one that was just called after a long quiet")
    func quiet() {
        #expect(hung([], at: 1_000).isEmpty)
        #expect(hung([work(progress: 0)], at: 1_000).isEmpty)
        #expect(hung([work(progress: 0, call: 995)], at: 1_000).isEmpty)
        #expect(hung([work(progress: 0, call: 985)], at: 1_000) == [Partition(0)])
    }

    @Test("M3: who waits its turn while others get on is not hung, up to a bound of its own")
    func turn() {
        let waiting = work(progress: 0, call: 0)
        #expect(hung([waiting, work(progress: 95)], at: 100).isEmpty)
        #expect(hung([waiting, work(progress: 100)], at: 101) == [Partition(0)])
        #expect(hung([waiting, work(progress: 5, call: 50)], at: 16) == [Partition(0)])
    }

    @Test("M3: who was cut short has nothing to wait for, though others get on")
    func cut() {
        var work = work(progress: 95)
        work.cutSince = at(90)
        #expect(hung([work], at: 99).isEmpty)
        #expect(hung([work], at: 101) == [Partition(0)])
    }

    @Test("M3: a dependency that is away explains a wait, Redis that does not answer all of them")
    func explained() {
        #expect(hung([work(progress: 0, call: 0, isExplained: true)], at: 100).isEmpty)
        #expect(hung([work(progress: 0, call: 0, isExplained: true)], at: 101) == [Partition(0)])
        #expect(hung([work(progress: 0, call: 0)], at: 200, contactLost: 195).isEmpty)
        #expect(hung([work(progress: 0, call: 0)], at: 206, contactLost: 195) == [Partition(0)])
    }
}
