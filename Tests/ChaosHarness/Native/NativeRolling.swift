import EarshotClient
import EarshotModel
import Foundation

/// A rolling restart under native devices, which come back when `closing` says, through a load balancer.
struct NativeRolling: Sendable {
    private static let startsPerSecond = 200.0
    private static let quietLimit = 120.0
    /// The audio, which is begun again as often as it takes.
    private static let audioSeconds = 60.0
    /// Two packets a second, as devices that keep silence to themselves: the workers, too, have two cores at most.
    private static let speed = 0.2

    let stage: Stage
    let count: Int
    /// Most reconnects a second; nil for what the server's own pacing allows.
    let rateMaximum: Int?

    private static func user(_ device: Int) -> String { "rolling-\(device)" }

    func run() async throws -> ChaosReport {
        try await stage.storeAudio(of: (0..<count).map(Self.user))
        let recording = try NativeRecording(Recording.quiet(seconds: Self.audioSeconds).stream)
        let curve = ReconnectCurve()
        // What the server paces is when devices begin; a pause of the machine would make their ends meet.
        let balancer = try await Balancer.started(before: stage.fleet.gatewayPorts) {
            curve.note(at: stage.clock())
        }
        let over = Enough()
        let (began, uploads) = try await withThrowingTaskGroup(of: NativeOutcome.self) { group in
            for device in 0..<count {
                group.addTask { await upload(device, recording, balancer.port, over) }
            }
            let restart = RollingRestart(stage: stage, sessions: count) { balancer.set($0, isIn: $1) }
            let began = try await restart.run()
            over.give()
            let uploads: [NativeOutcome] = try await group.reduce(into: []) { $0.append($1) }
            return (began, uploads)
        }
        let gone = stage.clock()
        let quiet = await QuietWatch(stage: stage).run(since: gone, limit: Self.quietLimit)
        try await stage.tap.catchUp()
        await balancer.stop()
        return try await report(uploads, curve, began: began, gone: gone, quiet)
    }

    private func upload(
        _ device: Int, _ recording: NativeRecording, _ port: Int, _ over: Enough
    ) async -> NativeOutcome {
        try? await rest(.seconds(Double(device) / Self.startsPerSecond))
        let source = MarkedSource(recording: recording, device: device, upload: 0, limit: .max, speed: Self.speed) {
            over.isGiven
        }
        return await NativeDevice.upload(
            source, user: Self.user(device), port: port, linger: 0, clock: stage.clock)
    }

    /// Sessions that a gateway closes in a second, with what chance adds to it.
    ///
    /// Before the last restart all sessions may be on all gateways but one.
    private var bound: Int {
        if let rateMaximum { return rateMaximum }
        let limits = Limits()
        let sessions = Double(count) / Double(max(1, stage.fleet.gatewayPorts.count - 1))
        let spacing = limits.drainSpacing.seconds
        let rate = sessions / max(min(limits.drainWindow.seconds, spacing * sessions), 1)
        return Int((rate + 3 * rate.squareRoot()).rounded(.up)) + 1
    }

    private func report(
        _ uploads: [NativeOutcome], _ curve: ReconnectCurve, began: Double, gone: Double, _ quiet: QuietWatch.Report
    ) async throws -> ChaosReport {
        curve.draw(since: began)
        let (total, peak) = curve.figures(since: began)
        let events = stage.tap.log.events
        let lost = events.filter { $0.type == .sessionEnded && $0.reason == EndReason.gatewayDead.name }.count
        var violations: [String] = []
        if lost > 0 { violations.append("\(lost) sessions ended as if their gateway had died") }
        if bound > 0, peak > bound { violations.append("\(peak) reconnects in a second, allowed are \(bound)") }
        let audio = NativeAudio(parts: try await StoredParts(stage), chains: SessionChains(events))
        var report = ChaosReport(run: "rolling", seconds: gone - began)
        report.figures = FlakyCommand.figures(uploads, cuts: 0).merging(
            [
                "reconnects_in_restarts": Double(total), "reconnects_per_second_max": Double(peak),
                "reconnects_per_second_allowed": Double(bound),
            ]
        ) { first, _ in first }
        report.figures["connections_reset"] = nil
        report.checks = [
            CheckResult("rolling", figures: [:], violations: violations), audio.compare(uploads, mustBeWhole: true),
            CheckResult.within(.infinity, quiet), try await AuditChecker().check(stage),
        ]
        return report
    }
}
