import AudioStreams
import EarshotModel
import NIOCore
import Synchronization
import TestSupport
import Testing
import WorkerRuntime

/// A stream without sessions is one lane, as the record reads events.
@Suite("Worker: a whole stream as one lane", .timeLimit(.minutes(2)))
struct WholeStreamTests {
    /// Writes what it takes in to a list, and commits every few entries; nothing it wrote may be written again later
    /// than the commit.
    private struct Recorder: LaneProcessor {
        struct Factory: LaneProcessorFactory {
            let written: TextList
            let mayFail: @Sendable (String) throws -> Void

            func open(_ opening: LaneOpening) throws -> any LaneProcessor { Recorder(factory: self) }
        }

        let factory: Factory
        var held: [String] = []
        var next: UInt64 = 0

        mutating func absorb(_ entries: [LaneEntry], in context: LaneContext) async throws {
            for entry in entries {
                let text = String(buffer: entry.entry.payload)
                try factory.mayFail(text)
                held.append(text)
                next = entry.nextSequence
            }
            if held.count >= 3 { try await cut(in: context) }
        }

        mutating func finish(_ reason: EndReason, marker: LaneEntry, in context: LaneContext) async throws {}
        mutating func idle(in context: LaneContext) async throws { try await cut(in: context) }

        mutating func cut(in context: LaneContext) async throws {
            guard !held.isEmpty else { return }
            try await context.commit(LaneOutput(progress: LaneProgress(next: next)))
            factory.written.append(held)
            held = []
        }
    }

    @Test(
        "Every entry comes once and in order, over failures, re-reads and a change of owner", arguments: Store.allCases)
    func order(store: Store) async throws {
        var limits = RuntimeFixture.limits
        limits.laneInboxEntriesMaximum = 4
        limits.readCount = 3
        // It is in no session, so it parks nothing, however long it waits.
        limits.parkAfter = .zero
        try await RuntimeFixture.with(store, partitions: 1, limits: limits) { fixture in
            let texts = (0..<60).map { "entry \($0)" }
            let failures = Mutex(0)
            let written = TextList()
            let factory = Recorder.Factory(written: written) { text in
                guard text.hasSuffix("7"),
                    failures.withLock({
                        $0 += 1
                        return $0 % 3 != 0
                    })
                else { return }
                throw LaneFailure.dependency(name: "test", reason: "twice each")
            }
            let routing = LaneRouting.wholeStream(.audio)
            for (half, range) in [0..<30, 30..<60].enumerated() {
                try await fixture.withWorker("worker-\(half)", factory: factory, routing: routing) { _ in
                    for number in range {
                        _ = try await fixture.handOff.append(ByteBuffer(string: texts[number]), to: Partition(0))
                    }
                    try await fixture.untilDrained()
                }
            }
            #expect(written.all == texts)
            let lag = try await fixture.handOff.lag(of: fixture.group, stream: .audio, in: fixture.all)
            #expect(lag.allSatisfy { $0.parkedEntries == 0 })
        }
    }
}

/// A list to share between closures.
private final class TextList: Sendable {
    private let texts = Mutex<[String]>([])

    func append(_ more: [String]) { texts.withLock { $0 += more } }
    var all: [String] { texts.withLock(\.self) }
}
