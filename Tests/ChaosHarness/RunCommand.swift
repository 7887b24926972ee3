import ArgumentParser

/// `earshot-chaos run`: faults of every kind, then all checks.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Faults of every kind at random, then all checks.")

    @OptionGroup var options: HarnessOptions

    @Option(help: "How long devices stream and faults happen.")
    var minutes = 10.0

    @Option(help: "How many faults; by default one every six seconds.")
    var faults: Int?

    @Option(help: "Instead of faults of every kind: kills of each kind of worker, so many.")
    var killsOfEach: Int?

    @Option(help: "Sentences a device speaks in one session, 1 to 5; about 6 s each.")
    var sentences = 4

    func validate() throws {
        if let problem = RunRequirements.problem(devices: options.devices) { throw ValidationError(problem) }
        guard minutes > 0, minutes <= 24 * 60 else {
            throw ValidationError("--minutes \(minutes) is not allowed; allowed is more than 0 up to 1440")
        }
        guard (0...10_000).contains(faults ?? 0), (1...1_000).contains(killsOfEach ?? 1) else {
            throw ValidationError("--faults may be 0 to 10000, --kills-of-each 1 to 1000")
        }
        guard (1...5).contains(sentences) else {
            throw ValidationError("--sentences \(sentences) is not allowed; allowed are 1 to 5")
        }
    }

    func run() async throws {
        let seed = options.drawnSeed()
        let workers = options.workers ?? "gateway=2,transcript=2,coordinator=2"
        let report = try await Stage.with(options, workers: workers) { stage in
            try await ChaosRun(
                stage: stage, seed: seed, seconds: minutes * 60, deviceCount: options.devices,
                faultCount: faults ?? Int(minutes * 10), killsOfEach: killsOfEach, sentences: sentences
            ).run()
        }
        try report.publish()
        if !report.isPassed { throw ExitCode.failure }
    }
}
