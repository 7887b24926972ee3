import ArgumentParser

/// `earshot-chaos disconnect`: cuts every device at once, and measures until every worker has let go of them.
struct DisconnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disconnect", abstract: "Cuts many devices at once; time until no worker has a lane of them.")

    @OptionGroup var options: HarnessOptions

    /// Issue 4, acceptance 5, counted from the moment at which nothing of the streams is unread.
    private static let releaseMaximum = 1.0

    func run() async throws {
        let report = try await Stage.with(options, workers: options.workers ?? "gateway=2,transcript=2") { stage in
            try await measure(stage)
        }
        try report.publish()
        if !report.isPassed { throw ExitCode.failure }
    }

    private func measure(_ stage: Stage) async throws -> ChaosReport {
        let crowd = Crowd(stage: stage, count: options.devices, recording: try .quiet(seconds: 600))
        let (before, quiet) = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = await crowd.run() }
            try await crowd.untilLive()
            try await rest(.seconds(3))
            let lanes = try await stage.fleet.metrics().sum("earshot_worker_lanes")
            stage.log("\(crowd.count) sessions, \(Int(lanes)) lanes; cutting all")
            group.cancelAll()
            return (lanes, await QuietWatch(stage: stage).run(since: stage.clock(), limit: 120))
        }
        var report = ChaosReport(run: "disconnect", seconds: stage.clock())
        report.figures = ["sessions": Double(crowd.count), "lanes_before": before]
        var check = CheckResult.within(.infinity, quiet)
        if let lanes = quiet.conditions["open_lanes"] ?? nil, let read = quiet.conditions["unread_entries"] ?? nil {
            // A group's position passes the marker in the same commit that ends the lane.
            let release = max(0, lanes - read)
            report.figures["release_behind_marker_s"] = release
            if release > Self.releaseMaximum {
                check = CheckResult(
                    "quiet", figures: check.figures,
                    violations: check.violations + ["released \(release) s behind the marker"])
            }
        }
        report.checks = [check]
        return report
    }
}
