import Foundation
import TestSupport
import Testing

/// Random schedules over the whole protocol. `EARSHOT_MODEL_SEED` repeats a run, `EARSHOT_MODEL_RUNS` sets how many.
@Suite("Protocol model: random runs")
struct RandomRunTests {
    @Test("smoke", arguments: [UInt64(1), 2, 3])
    func smoke(seed: UInt64) {
        for offset in 0..<40 {
            var run = RandomRun(
                Configuration(), faults: RandomRun.Faults(failovers: 4), seed: seed &* 1_000 &+ UInt64(offset))
            if let trace = run.run(steps: 300) {
                Issue.record("seed \(seed &* 1_000 &+ UInt64(offset))\n\(trace.shortened())")
                return
            }
        }
    }
}
