import AudioStreams
import EarshotModel
import Foundation
import Synchronization
import TestSupport
import Testing

/// Random schedules against a real Redis; `EARSHOT_FUZZ_SEED` repeats one run.
@Suite("Hand-off: random faults")
struct HandOffFuzzTests {
    private static let seed: UInt64 = {
        let text = ProcessInfo.processInfo.environment["EARSHOT_FUZZ_SEED"] ?? ""
        return UInt64(text) ?? .random(in: 1 ... .max)
    }()

    private struct Outcome: Sendable {
        var violations: [String] = []
        var schedulesWithViolations = 0
        var refused = 0
        var resumed = 0
    }

    /// Runs schedules, a few at a time, each in a partition of its own.
    private func run(schedules: Int, steps: Int, checksTail: Bool) async throws -> Outcome {
        try await RedisFleet.with { fleet in
            try await withThrowingTaskGroup(of: Outcome.self) { lanes in
                for lane in 0..<4 {
                    lanes.addTask {
                        var outcome = Outcome()
                        for number in stride(from: lane, to: schedules, by: 4) {
                            let seed = Self.seed &+ UInt64(number)
                            var schedule = FuzzSchedule(
                                handOff: fleet.handOff, partition: Partition(number % 1_000), seed: seed,
                                checksTail: checksTail)
                            let found = try await schedule.run(steps: steps)
                            outcome.refused += schedule.refused
                            outcome.resumed += schedule.resumed
                            outcome.schedulesWithViolations += found.isEmpty ? 0 : 1
                            outcome.violations += found.map { "schedule \(number): \($0)" }
                        }
                        return outcome
                    }
                }
                return try await lanes.reduce(into: Outcome()) { sum, part in
                    sum.violations += part.violations
                    sum.schedulesWithViolations += part.schedulesWithViolations
                    sum.refused += part.refused
                    sum.resumed += part.resumed
                }
            }
        }
    }

    private static func report(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

    @Test("Whatever is lost, late or doubled: each acknowledged frame comes out once, in order")
    func noViolation() async throws {
        Self.report("fuzz of the hand-off: EARSHOT_FUZZ_SEED=\(Self.seed)")
        let outcome = try await run(schedules: 120, steps: 200, checksTail: true)
        #expect(outcome.violations.isEmpty, "EARSHOT_FUZZ_SEED=\(Self.seed)")
        // The schedules did what they are for: zombies tried to commit.
        #expect(outcome.refused > 0 && outcome.resumed > 0)
    }

    @Test("The check can fail: without the tail check acknowledged frames are lost behind end markers")
    func checkCanFail() async throws {
        let outcome = try await run(schedules: 40, steps: 200, checksTail: false)
        Self.report("without the tail check: \(outcome.schedulesWithViolations) of 40 schedules lose audio")
        #expect(outcome.schedulesWithViolations > 0, "EARSHOT_FUZZ_SEED=\(Self.seed)")
        #expect(outcome.violations.allSatisfy { $0.contains("were acknowledged") })
    }
}
