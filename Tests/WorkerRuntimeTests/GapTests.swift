import AudioStreams
import EarshotModel
import TestSupport
import Testing
import WorkerRuntime

/// An append out of the middle of a pipeline is refused, and a later one is taken (protocol.md M10).
@Suite("Worker: gaps", .timeLimit(.minutes(1)))
struct GapTests {
    private static let numbered: WorkerFlags = [.transcript, .numbered]

    /// Frames 4..<8 are refused; the gateway acknowledges up to there and ends the session.
    private func refusedInTheMiddle(_ fixture: RuntimeFixture, noting last: UInt64) async throws -> TestChain {
        var chain = try await TestChain(fixture, user: "user", flags: Self.numbered)
        try await chain.send(0..<4, flags: Self.numbered)
        try await chain.note(last)
        try await chain.send(8..<14, flags: Self.numbered)
        return chain
    }

    @Test(
        "M10: what a device sends again behind a refused append is stored, be its session read before or after",
        arguments: Store.allCases, [false, true])
    func resent(store: Store, isReadBefore: Bool) async throws {
        try await RuntimeFixture.with(store, partitions: 1) { fixture in
            var chain = try await refusedInTheMiddle(fixture, noting: 3)
            func goOn() async throws {
                #expect(try await chain.resume(first: 2) == 4)
                try await chain.send(4..<20, flags: Self.numbered)
                try await chain.end()
            }
            if !isReadBefore { try await goOn() }
            try await fixture.withWorker(factory: ByteCounter.Factory(bytesPerEvent: 60)) { worker in
                if isReadBefore {
                    try await eventually("the entries beyond the gap") { worker.count("entries.beyond_gap") == 3 }
                    try await goOn()
                }
                let events = try await fixture.until("both ends") { $0.count(where: \.isEnd) == 2 }
                var ledger = ByteLedger()
                chain.note(in: &ledger)
                #expect(ledger.violations(in: chain.joined(events)) == [])
                try await fixture.untilDrained()
                #expect(worker.count("gaps") == 0 && worker.count("frames.lost") == 0)
            }
        }
    }

    @Test("Past what was acknowledged and is gone a lane goes on, and says so", arguments: Store.allCases)
    func counted(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1) { fixture in
            let chain = try await refusedInTheMiddle(fixture, noting: 13)
            try await chain.end()
            try await fixture.withWorker(factory: ByteCounter.Factory(bytesPerEvent: 60)) { worker in
                _ = try await fixture.until("the end") { $0.contains(where: \.isEnd) }
                #expect(worker.count("gaps") == 1 && worker.count("frames.lost") == 4)
                #expect(worker.count("entries.beyond_gap") == 0)
            }
        }
    }
}
