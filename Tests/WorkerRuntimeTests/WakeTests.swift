import AudioStreams
import EarshotModel
import NIOCore
import Synchronization
import TestSupport
import Testing
import WorkerRuntime

@Suite("Worker: lanes that want to be called at a time", .timeLimit(.minutes(2)))
struct WakeTests {
    /// Wants to be called some time after what it absorbed, a few times; then commits.
    private struct Sleeper: LaneProcessor {
        struct Factory: LaneProcessorFactory {
            let calls: Mutexed
            let delay: Duration
            let times: Int
            var onIdle: @Sendable () throws -> Void = {}

            func open(_ opening: LaneOpening) throws -> any LaneProcessor {
                Sleeper(factory: self, progress: opening.progress)
            }
        }

        let factory: Factory
        var progress: LaneProgress
        var wakeAt: ContinuousClock.Instant?
        private var left: Int

        init(factory: Factory, progress: LaneProgress) {
            self.factory = factory
            self.progress = progress
            left = factory.times
        }

        mutating func absorb(_ entries: [LaneEntry], in context: LaneContext) async throws {
            progress.next = entries.last?.nextSequence ?? progress.next
            wakeAt = .now + factory.delay
        }

        mutating func idle(in context: LaneContext) async throws {
            try factory.onIdle()
            factory.calls.count.withLock { $0 += 1 }
            left -= 1
            guard left == 0 else {
                wakeAt = .now + factory.delay
                return
            }
            wakeAt = nil
            try await context.commit(LaneOutput(progress: progress))
        }

        mutating func finish(_ reason: EndReason, marker: LaneEntry, in context: LaneContext) async throws {
            progress.isDone = true
            try await context.commit(LaneOutput(progress: progress))
        }

        mutating func cut(in context: LaneContext) async throws {}
    }

    private final class Mutexed: Sendable { let count = Mutex(0) }

    private static var limits: Limits {
        var limits = RuntimeFixture.limits
        // Quiet tells and closes nothing here: only the wanted times call.
        limits.laneIdle = .seconds(600)
        return limits
    }

    /// Is away from the first entries on.
    private final class FailingReader: StreamReader {
        private let reader: any StreamReader
        let awaySince = Mutex<ContinuousClock.Instant?>(nil)
        private let isBack = Mutex(false)

        init(_ reader: any StreamReader) { self.reader = reader }

        func comeBack() { isBack.withLock { $0 = true } }

        func read(
            _ stream: StreamKind, after cursors: [Partition: StreamPosition], count: Int, block: Duration
        ) async throws(HandOffError) -> [Partition: [StreamEntry]] {
            guard awaySince.withLock({ $0 == nil }) || isBack.withLock(\.self) else {
                throw HandOffError(.unavailable, "by the test")
            }
            let entries = try await reader.read(stream, after: cursors, count: count, block: block)
            if !entries.isEmpty { awaySince.withLock { $0 = $0 ?? .now } }
            return entries
        }

        func interrupt() { reader.interrupt() }
    }

    @Test("While reads fail no lane is told that it is quiet: an outage cuts no utterance")
    func outage() async throws {
        let handOff = InMemoryHandOff(limits: RuntimeFixture.limits)
        let reader = FailingReader(handOff.makeReader())
        let fixture = RuntimeFixture(
            handOff: handOff, makeReader: { reader }, limits: RuntimeFixture.limits, partitions: 1)
        try await handOff.enable(audioGroups: [fixture.group], eventGroups: [], in: fixture.all)
        var ledger = ByteLedger()
        var device = try await TestDevice(fixture, user: "u1")
        let calls = Mutexed()
        try await fixture.withWorker(factory: Sleeper.Factory(calls: calls, delay: .seconds(600), times: 1)) { _ in
            try await device.send(3, noting: &ledger)
            try await eventually("the outage is five times what counts as quiet") {
                reader.awaySince.withLock { since in since.map { $0.duration(to: .now) > .seconds(1) } ?? false }
            }
            #expect(calls.count.withLock(\.self) == 0)
            reader.comeBack()
            try await fixture.untilDrained()
            #expect(calls.count.withLock(\.self) == 1)
        }
    }

    @Test("It is called at each time it names, also while quiet says nothing", arguments: Store.allCases)
    func repeated(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1, limits: Self.limits) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "u1")
            let calls = Mutexed()
            let factory = Sleeper.Factory(calls: calls, delay: .milliseconds(60), times: 3)
            try await fixture.withWorker(factory: factory) { _ in
                try await device.send(3, noting: &ledger)
                let began = ContinuousClock.now
                try await fixture.untilDrained()
                #expect(calls.count.withLock(\.self) == 3)
                #expect(ContinuousClock.now - began >= .milliseconds(180), "never before its time")
            }
        }
    }

    @Test("A lane with a time to come is not closed for quiet; without one it is", arguments: Store.allCases)
    func staysOpen(store: Store) async throws {
        var limits = RuntimeFixture.limits
        limits.laneIdle = .milliseconds(20)
        limits.laneClose = .milliseconds(40)
        try await RuntimeFixture.with(store, partitions: 1, limits: limits) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "u1")
            let calls = Mutexed()
            let factory = Sleeper.Factory(calls: calls, delay: .milliseconds(400), times: 3)
            try await fixture.withWorker(factory: factory) { worker in
                try await device.send(3, noting: &ledger)
                // Quiet calls once, the two times the rest; closed in between it would have begun anew.
                try await fixture.untilDrained()
                #expect(calls.count.withLock(\.self) == 3 && worker.count("lanes.opened") == 1)
                try await eventually("it is closed", isTrue: { worker.metrics.gauge("worker.lanes") == 0 })
            }
        }
    }

    @Test("A lane whose call meets a dependency away waits and is called again", arguments: Store.allCases)
    func waits(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1, limits: Self.limits) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "u1")
            let calls = Mutexed()
            let failures = Mutexed()
            let factory = Sleeper.Factory(calls: calls, delay: .milliseconds(10), times: 1) {
                let number = failures.count.withLock {
                    $0 += 1
                    return $0
                }
                if number <= 2 { throw LaneFailure.dependency(name: "test", reason: "twice") }
            }
            try await fixture.withWorker(factory: factory) { _ in
                try await device.send(3, noting: &ledger)
                try await fixture.untilDrained()
                #expect(failures.count.withLock(\.self) == 3 && calls.count.withLock(\.self) == 1)
            }
        }
    }
}
