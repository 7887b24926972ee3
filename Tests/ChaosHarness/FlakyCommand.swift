import ArgumentParser
import EarshotClient
import Foundation

/// `earshot-chaos flaky`: native devices on a network that drops every connection; what is stored is what was sent.
struct FlakyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flaky",
        abstract: "Native devices whose every connection is reset after 5 to 20 s; stored audio by its hash.")

    @OptionGroup var options: HarnessOptions

    @Option(help: "How long devices speak, and their connections are reset.")
    var minutes = 3.0

    /// Issue 4, acceptance 4.
    private static let devices = 1_000
    /// The harness itself: proxies' links, its own connections, files.
    private static let descriptorsBeside = 500
    /// Fifty hours of audio: the workers compute with it long after its devices are gone.
    private static let quietLimit = 900.0

    func validate() throws {
        guard minutes > 0, minutes <= 60 else {
            throw ValidationError("--minutes \(minutes) is not allowed; allowed is more than 0 up to 60")
        }
    }

    func run() async throws {
        let seed = options.drawnSeed()
        let count = options.wantedDevices ?? Self.devices
        try DescriptorLimit.require(count * FlakyCrowd.descriptorsPerDevice + Self.descriptorsBeside)
        let report = try await Stage.with(options, workers: options.workers ?? "gateway=2,transcript=2") { stage in
            try await measure(stage, seed: seed, count: count)
        }
        try report.publish()
        if !report.isPassed { throw ExitCode.failure }
    }

    private func measure(_ stage: Stage, seed: UInt64, count: Int) async throws -> ChaosReport {
        try await stage.storeAudio(of: (0..<count).map(FlakyCrowd.user))
        let recording = try NativeRecording(Recording.quiet(seconds: minutes * 60).stream)
        let crowd = FlakyCrowd(
            stage: stage, seed: seed, count: count, recording: recording, seconds: minutes * 60)
        stage.log("\(count) devices, \(recording.count) messages each; every connection is reset after 5 to 20 s")
        let (uploads, cuts) = try await crowd.run()
        let gone = stage.clock()
        stage.log("all uploads are over, \(cuts) connections were reset; waiting for quiet")
        let quiet = await QuietWatch(stage: stage).run(since: gone, limit: Self.quietLimit)
        try await stage.tap.catchUp()
        let chains = SessionChains(stage.tap.log.events)
        let audio = NativeAudio(parts: try await StoredParts(stage), chains: chains)
        var report = ChaosReport(run: "flaky", seed: seed, seconds: gone)
        report.figures = Self.figures(uploads, cuts: cuts)
        report.checks = [
            audio.compare(uploads, mustBeWhole: true), CheckResult.within(.infinity, quiet),
            try await AuditChecker().check(stage),
        ]
        return report
    }

    /// What the devices counted.
    static func figures(_ uploads: [NativeOutcome], cuts: Int) -> [String: Double] {
        func sum(_ value: (NativeOutcome) -> Double) -> Double { uploads.reduce(0) { $0 + value($1) } }
        let reconnects = uploads.map { Double($0.report?.reconnectCount ?? 0) }
        return [
            "devices": Double(uploads.count), "connections_reset": Double(cuts),
            "reconnects": reconnects.reduce(0, +), "reconnects_of_a_device_min": reconnects.min() ?? 0,
            "reconnects_of_a_device_max": reconnects.max() ?? 0,
            "sessions": sum { Double($0.report?.sessionCount ?? 0) }, "messages_sent": sum { Double($0.messages) },
            "messages_resent": sum { Double($0.resent) }, "messages_acknowledged": sum { Double($0.acknowledged) },
            "seconds_of_an_upload_max": uploads.map { $0.ended - $0.began }.max() ?? 0,
        ]
    }
}
