import Foundation
import Testing

/// Random schedules over the whole protocol.
///
/// `EARSHOT_MODEL_RUNS` sets how many runs each configuration gets, `EARSHOT_MODEL_SEED` repeats a seed that a failure
/// printed.
@Suite("Protocol model: random runs")
struct RandomRunTests {
    /// Who takes part and what fails.
    enum Mix: String, CaseIterable, Sendable {
        case plain
        case withoutResume
        case full
        case failovers

        var configuration: Configuration {
            var configuration = Configuration()
            configuration.frames = 5
            switch self {
            case .plain: configuration.frames = 8
            case .withoutResume: configuration.resumes = false
            case .full: configuration.capacity = 6
            case .failovers: break
            }
            return configuration
        }

        var faults: RandomRun.Faults { RandomRun.Faults(failovers: self == .failovers ? 10 : 0) }
    }

    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    private static let runs = number("EARSHOT_MODEL_RUNS") ?? 60
    private static let freshSeed = number("EARSHOT_MODEL_SEED") ?? .random(in: 1 ... .max / 2)

    private func run(_ mix: Mix, from seed: UInt64, runs: UInt64, without rule: WritableKeyPath<Rules, Bool>? = nil)
        -> (trace: Trace, seed: UInt64)?
    {
        var configuration = mix.configuration
        if let rule { configuration.rules[keyPath: rule] = false }
        for offset in 0..<runs {
            var run = RandomRun(configuration, faults: mix.faults, seed: seed &+ offset)
            if let trace = run.run(steps: 300) { return (trace, seed &+ offset) }
        }
        return nil
    }

    private func expectNone(_ mix: Mix, from seed: UInt64) {
        guard let failure = run(mix, from: seed, runs: Self.runs) else { return }
        Issue.record("\(mix), EARSHOT_MODEL_SEED=\(failure.seed):\n\(failure.trace.shortened())")
    }

    @Test("Whatever fails, with seeds that stay the same", arguments: Mix.allCases)
    func fixedSeeds(mix: Mix) { expectNone(mix, from: 1_000) }

    @Test("Whatever fails, with a fresh seed", arguments: Mix.allCases)
    func freshSeeds(mix: Mix) {
        FileHandle.standardError.write(Data("protocol model, \(mix): EARSHOT_MODEL_SEED=\(Self.freshSeed)\n".utf8))
        expectNone(mix, from: Self.freshSeed)
    }

    /// A rule, and the mix that misses it first.
    struct Missing: Sendable, CustomTestStringConvertible {
        let name: String
        let mix: Mix
        let remove: @Sendable (inout Rules) -> Void
        var testDescription: String { "\(name), \(mix)" }
    }

    @Test(
        "The runs can fail: each rule that is missing is missed",
        arguments: [
            Missing(name: "tail check", mix: .plain) { $0.checksTail = false },
            Missing(name: "nothing behind the end", mix: .plain) { $0.dropsBehindEnd = false },
            Missing(name: "one end", mix: .plain) { $0.endIsFinal = false },
            Missing(name: "lanes from the registry", mix: .plain) { $0.lanesComeFromRegistry = false },
            Missing(name: "duplicates by sequence", mix: .plain) { $0.dedupsBySequence = false },
            Missing(name: "fenced commits", mix: .plain) { $0.fencesCommits = false },
            Missing(name: "numbered commits", mix: .plain) { $0.numbersCommits = false },
            Missing(name: "void on another server", mix: .failovers) { $0.voidsOnAnotherServer = false },
            Missing(name: "void before sending", mix: .failovers) { $0.voidsBeforeSending = false },
            Missing(name: "free when full", mix: .full) { $0.freesWhenFull = false },
            Missing(name: "position in the commit", mix: .plain) { $0.positionMovesInCommit = false },
            Missing(name: "inherited next", mix: .plain) { $0.inheritsNext = false },
            Missing(name: "one lane after the other", mix: .plain) { $0.waitsForPredecessor = false },
            Missing(name: "completion by compare-and-set", mix: .plain) { $0.completesOnce = false },
            Missing(name: "the record's mark", mix: .full) { $0.reopeningForgetsMark = false },
        ])
    func missingRule(missing: Missing) {
        var configuration = missing.mix.configuration
        missing.remove(&configuration.rules)
        let isMissed = (1...600).contains { seed in
            var run = RandomRun(configuration, faults: missing.mix.faults, seed: UInt64(seed))
            return run.run(steps: 300) != nil
        }
        #expect(isMissed)
    }

    @Test("A failing run is told by a short trace")
    func shortened() throws {
        let failure = try #require(run(.plain, from: 1, runs: 100, without: \.checksTail))
        let short = failure.trace.shortened()
        #expect(short.steps.count < failure.trace.steps.count / 4)
        #expect(Trace.run(short.steps, short.configuration)?.violations == short.violations)
    }
}
