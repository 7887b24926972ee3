import ArgumentParser
import EarshotModel

/// `earshot-chaos disconnect`: cuts every device at once, and measures until every worker has let go of them.
struct DisconnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disconnect",
        abstract: "Cuts many devices at once; time until no worker has a lane of them, and how late pollers wake.")

    @OptionGroup var options: HarnessOptions

    /// Issue 4, acceptance 5: counted from the moment at which nothing of the streams is unread for a lane's own group.
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
        /// Open lanes of each group before the cut.
        var lanes: [String: Double]
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
        let crowd = Crowd(
            stage: stage, count: options.devices, recording: try .quiet(seconds: 600), speed: Crowd.gated)
        let services = try await CrowdServices.switchedOn(stage, users: crowd.servedUsers)
        let wakesOfFew = try await wakesOfFew(stage)
        let measured = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = await crowd.run() }
            try await crowd.untilLive()
            let probe = try WakeProbe.started(stage)
            try await rest(Self.calm)
            let metrics = try await stage.fleet.metrics()
            let lanes = Dictionary(
                stage.view.groupNames.map { ($0, metrics.lanes(of: $0)) }, uniquingKeysWith: { first, _ in first })
            stage.log("\(crowd.count) sessions, \(Int(lanes.values.reduce(0, +))) lanes; cutting all")
            let moment = WallClock.microseconds
            group.cancelAll()
            let quiet = await QuietWatch(stage: stage).run(since: stage.clock(), limit: 120)
            return Measured(lanes: lanes, quiet: quiet, wakes: probe.stop(dividedAt: moment), wakesOfFew: wakesOfFew)
        }
        var report = report(stage, crowd, measured)
        report.checks += await services.checks()
        await services.stop()
        return report
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
        report.figures = [
            "sessions": Double(crowd.count), "lanes_before": measured.lanes.values.reduce(0, +),
        ]
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
        let delays = LaneRelease.delays(measured.quiet.conditions)
        for (group, lanes) in measured.lanes where lanes > 0 {
            report.figures["lanes_before_\(group)"] = lanes
            guard let delay = delays[group] else {
                violations.append("\(group): its lanes were never all released")
                continue
            }
            report.figures["release_behind_marker_\(group)_s"] = delay
            if delay > Self.releaseMaximum { violations.append("\(group): released \(delay) s behind the marker") }
        }
        if measured.lanes["transcript", default: 0] == 0 { violations.append("no lane was open before the cut") }
        report.checks = [
            CheckResult("disconnect", figures: [:], violations: violations),
            CheckResult.within(.infinity, measured.quiet),
        ]
        return report
    }
}
