import EarshotModel
import Foundation

/// A gateway that is killed under native devices: they come back to the next one, and what was acknowledged is there.
struct NativeGatewayKill: Sendable {
    private static let startsPerSecond = 200.0
    private static let quietLimit = 120.0
    /// The audio, which is begun again as often as it takes, and how fast: as devices that keep silence to themselves.
    private static let audioSeconds = 60.0
    private static let speed = 0.2
    /// How long all stream before the kill, so that each has had acknowledgements.
    private static let calm: Duration = .seconds(5)

    let stage: Stage
    let count: Int
    /// How long the ends of all its sessions may take.
    let secondsMaximum: Double

    private static func user(_ device: Int) -> String { "killed-\(device)" }

    func run() async throws -> ChaosReport {
        try await stage.storeAudio(of: (0..<count).map(Self.user))
        let recording = try NativeRecording(Recording.quiet(seconds: Self.audioSeconds).stream)
        let enough = Enough()
        let port = stage.fleet.gatewayPorts[0]
        let (moment, uploads) = try await withThrowingTaskGroup(of: NativeOutcome.self) { group in
            for device in 0..<count {
                group.addTask {
                    try? await rest(.seconds(Double(device) / Self.startsPerSecond))
                    let source = MarkedSource(
                        recording: recording, device: device, upload: 0, limit: .max, speed: Self.speed
                    ) { enough.isGiven }
                    return await NativeDevice.upload(
                        source, user: Self.user(device), port: port, linger: 0, clock: stage.clock)
                }
            }
            try await stage.untilLive(count)
            try await rest(Self.calm)
            stage.log("\(count) native sessions are live; killing their gateway")
            guard let gateway = stage.fleet.nodes["gateway-0"] else { throw HarnessError("there is no gateway-0") }
            kill(gateway, SIGKILL)
            let moment = WallClock.microseconds
            enough.give()
            return (moment, try await group.reduce(into: []) { $0.append($1) })
        }
        let gone = stage.clock()
        let quiet = await QuietWatch(stage: stage).run(since: gone, limit: Self.quietLimit)
        try await stage.tap.catchUp()
        return try await report(uploads, killedAt: moment, quiet)
    }

    private func report(
        _ uploads: [NativeOutcome], killedAt moment: Int64, _ quiet: QuietWatch.Report
    ) async throws -> ChaosReport {
        let events = stage.tap.log.events
        // Whoever comes back before the lapse ends its own session by going on from it (protocol.md H9).
        let reasons = [EndReason.gatewayDead, .superseded].map(\.name)
        let dead = events.filter { $0.type == .sessionEnded && reasons.contains($0.reason ?? "") }
        let last = Double((dead.map(\.time).max() ?? moment) - moment) / 1e6
        var violations: [String] = []
        if dead.count != count { violations.append("\(dead.count) of \(count) sessions ended as their gateway's") }
        if last > secondsMaximum {
            violations.append("the last end came after \(last) s, allowed are \(secondsMaximum)")
        }
        let audio = NativeAudio(parts: try await StoredParts(stage), chains: SessionChains(events))
        var report = ChaosReport(run: "gateway-kill", seconds: stage.clock())
        report.figures = FlakyCommand.figures(uploads, cuts: 0)
        report.figures["connections_reset"] = nil
        report.figures["last_end_s"] = last
        for event in dead { report.figures["ended_\(event.reason ?? "")", default: 0] += 1 }
        report.checks = [
            CheckResult("endings", figures: [:], violations: violations), audio.compare(uploads, mustBeWhole: true),
            CheckResult.within(.infinity, quiet), try await AuditChecker().check(stage),
        ]
        return report
    }
}
