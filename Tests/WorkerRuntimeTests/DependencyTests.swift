import EarshotModel
import Synchronization
import TestSupport
import Testing
import WorkerRuntime

@Suite("Worker: what lanes wait for", .timeLimit(.minutes(2)))
struct DependencyTests {
    /// Something a lane needs at its last frames; it is away until it is back.
    private final class Dependency: Sendable {
        private struct State {
            var isBack = false
            var attempts = 0
            var questions = 0
        }

        private let state = Mutex(State())

        var attempts: Int { state.withLock(\.attempts) }
        /// How often it was asked whether it may be there.
        var questions: Int { state.withLock(\.questions) }

        func comeBack() { state.withLock { $0.isBack = true } }

        func use() throws {
            let isBack = state.withLock { state in
                state.attempts += 1
                return state.isBack
            }
            if !isBack { throw LaneFailure.dependency(name: "test", reason: "away") }
        }

        func mayBeAvailable() -> Bool {
            state.withLock { state in
                state.questions += 1
                return state.isBack
            }
        }
    }

    /// Byte counters that need something at a frame.
    private struct Factory: LaneProcessorFactory {
        let dependency: Dependency
        let isWatched: Bool
        let counters: ByteCounter.Factory

        init(_ dependency: Dependency, at frame: UInt64, isWatched: Bool) {
            self.dependency = dependency
            self.isWatched = isWatched
            counters = ByteCounter.Factory(bytesPerEvent: .max) { _, taken in
                if taken.sequence == frame { try dependency.use() }
            }
        }

        func open(_ opening: LaneOpening) throws -> any LaneProcessor { try counters.open(opening) }

        func mayBeAvailable(_ name: String) -> Bool {
            #expect(name == "test")
            return isWatched ? dependency.mayBeAvailable() : true
        }
    }

    // More than one call takes in: what comes before the failure is had again, and again.
    private let entries = 240

    private func send(_ fixture: RuntimeFixture, noting ledger: inout ByteLedger) async throws {
        var device = try await TestDevice(fixture, user: "u1")
        for _ in 0..<entries { try await device.send(1, noting: &ledger) }
        try await device.end()
    }

    @Test("Having the same entries again is no progress: pauses grow", arguments: Store.allCases)
    func pauses(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1) { fixture in
            var ledger = ByteLedger()
            try await send(fixture, noting: &ledger)
            let dependency = Dependency()
            let factory = Factory(dependency, at: UInt64(entries - 1), isWatched: false)
            try await fixture.withWorker(factory: factory) { _ in
                try await eventually("an attempt") { dependency.attempts > 0 }
                let start = ContinuousClock.now
                try await eventually("some time") { start.duration(to: .now) > .seconds(4) }
                // Pauses of up to 0.1, 0.2, 0.4 … s: six or seven; if they did not grow, dozens.
                #expect(dependency.attempts <= 16)
                dependency.comeBack()
                let events = try await fixture.until("the end") { $0.contains(where: \.isEnd) }
                #expect(ledger.violations(in: events).isEmpty)
            }
        }
    }

    @Test("What is known to be away is not tried, and nothing is read for it again", arguments: Store.allCases)
    func knownAway(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1) { fixture in
            var ledger = ByteLedger()
            try await send(fixture, noting: &ledger)
            let dependency = Dependency()
            let factory = Factory(dependency, at: UInt64(entries - 1), isWatched: true)
            // A worker that ends meanwhile does not wait for it.
            try await fixture.withWorker("worker-0", factory: factory) { worker in
                try await eventually("it is asked about") { dependency.questions >= 4 }
                #expect(dependency.attempts == 1 && worker.count("lanes.reread") == 0)
            }
            try await fixture.withWorker("worker-1", factory: factory) { worker in
                try await eventually("it is tried once more") { dependency.attempts == 2 && dependency.questions >= 8 }
                dependency.comeBack()
                let events = try await fixture.until("the end") { $0.contains(where: \.isEnd) }
                #expect(ledger.violations(in: events).isEmpty)
                #expect(dependency.attempts == 3 && worker.count("lanes.reread") == 1)
            }
        }
    }
}
