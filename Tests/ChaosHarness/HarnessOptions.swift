import ArgumentParser

/// What every run of the harness takes.
struct HarnessOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The directory of the programs.", valueName: "directory"))
    var bin: String

    @Option(name: .customLong("devices"), help: "Devices that stream at once; 50 unless the run says otherwise.")
    var wantedDevices: Int?

    @Option(help: "Everything random follows from it; drawn and printed if it is not given.")
    var seed: UInt64?

    @Option(help: ArgumentHelp("Processes of each role, as `earshot up --workers` takes them.", valueName: "role=n,…"))
    var workers: String?

    @Flag(help: "Keeps the fleet's log.")
    var keepLog = false

    /// Devices that stream at once.
    var devices: Int { wantedDevices ?? 50 }

    func validate() throws {
        guard (1...10_000).contains(devices) else {
            throw ValidationError("--devices \(devices) is not allowed; allowed are 1 to 10000")
        }
        if let problem = RunRequirements.problem(workers: workers) { throw ValidationError(problem) }
    }

    /// The seed in force; printed, so that the run can be repeated.
    func drawnSeed() -> UInt64 {
        let seed = seed ?? UInt64.random(in: 1...999_999)
        Stage.say("seed \(seed)")
        return seed
    }
}
