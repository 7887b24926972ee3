import ArgumentParser
import EarshotModel

/// `earshot-chaos disconnect`: cuts every device at once, and measures until every worker has let go of them.
struct DisconnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disconnect",
        abstract: "Cuts many devices at once; time until no worker has a lane of them, and how late pollers wake.")

    @OptionGroup var options: HarnessOptions

    /// Issue 4, acceptance 5: counted from the moment at which nothing of the streams is unread.
    private static let releaseMaximum = 1.0
    /// The same: from the answer to an append, before which Redis tells nobody of it.
    ///
    /// From an entry's time on, which is shown, too, there is also Redis' turn with its fsync, and with thousands of
    /// devices the queue for two cores.
    private static let wakeMaximum = 0.005
    private static let fewDevices = 20
    /// How long all devices stream before they are cut.
    private static let calm: Duration = .seconds(15)

    /// What was measured.
    private struct Measured: Sendable {
        var lanes: Double
        var quiet: QuietWatch.Report
        /// How late pollers woke while all streamed, and from the cut on.
        var wakes: (before: WakeProbe.Wakes, after: WakeProbe.Wakes)
        /// How late they woke while a few streamed.
        var wakesOfFew: WakeProbe.Wakes
    }

    func run() async throws {
        let report = try await Stage.with(options, workers: options.workers ?? "gateway=2,transcript=2") { stage in
            try await measure(stage)
        }
        try report.publish()
        if !report.isPassed { throw ExitCode.failure }
    }

    private func measure(_ stage: Stage) async throws -> ChaosReport {
        let wakesOfFew = try await wakesOfFew(stage)
        let crowd = Crowd(
            stage: stage, count: options.devices, recording: try .quiet(seconds: 600), speed: Crowd.gated)
        let measured = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = await crowd.run() }
            try await crowd.untilLive()
            let probe = try WakeProbe.started(stage)
            try await rest(Self.calm)
            let lanes = try await stage.fleet.metrics().sum("earshot_worker_lanes")
            stage.log("\(crowd.count) sessions, \(Int(lanes)) lanes; cutting all")
            let moment = WallClock.microseconds
            group.cancelAll()
            let quiet = await QuietWatch(stage: stage).run(since: stage.clock(), limit: 120)
            return Measured(lanes: lanes, quiet: quiet, wakes: probe.stop(dividedAt: moment), wakesOfFew: wakesOfFew)
        }
        return report(stage, crowd, measured)
    }

    private func wakesOfFew(_ stage: Stage) async throws -> WakeProbe.Wakes {
        let few = Crowd(stage: stage, count: Self.fewDevices, recording: try .quiet(seconds: 600), speed: Crowd.gated)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = await few.run() }
            defer { group.cancelAll() }
            try await few.untilLive()
            let probe = try WakeProbe.started(stage)
            try await rest(Self.calm)
            return probe.stop(dividedAt: .max).before
        }
    }

    private func report(_ stage: Stage, _ crowd: Crowd, _ measured: Measured) -> ChaosReport {
        let (before, after) = measured.wakes
        var report = ChaosReport(run: "disconnect", seconds: stage.clock())
        report.figures = ["sessions": Double(crowd.count), "lanes_before": measured.lanes]
        for (name, wakes) in [("few", measured.wakesOfFew), ("streaming", before), ("cut", after)] {
            for (origin, times) in [("entry", wakes.entries), ("answer", wakes.answers)] {
                report.figures["wakes_\(name)_\(origin)_count"] = Double(times.count)
                report.figures["wakes_\(name)_\(origin)_p50_ms"] = times.quantile(0.5) * 1_000
                report.figures["wakes_\(name)_\(origin)_p99_ms"] = times.quantile(0.99) * 1_000
            }
        }
        var violations: [String] = []
        for (name, wakes) in [("few", measured.wakesOfFew), ("streaming", before), ("cut", after)] {
            if wakes.answers.count == 0 { violations.append("no poller was seen waking (\(name))") }
            let late = wakes.answers.quantile(0.99)
            if late > Self.wakeMaximum {
                violations.append("pollers wake late (\(name)): p99 \(late * 1_000) ms, allowed are 5")
            }
        }
        let conditions = measured.quiet.conditions
        if let lanes = conditions["open_lanes"] ?? nil, let read = conditions["unread_entries"] ?? nil {
            // A group's position passes the marker in the same commit that ends the lane.
            let release = max(0, lanes - read)
            report.figures["release_behind_marker_s"] = release
            if release > Self.releaseMaximum { violations.append("released \(release) s behind the marker") }
        }
        report.checks = [
            CheckResult("disconnect", figures: [:], violations: violations),
            CheckResult.within(.infinity, measured.quiet),
        ]
        return report
    }
}
