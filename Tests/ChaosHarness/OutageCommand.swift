import ArgumentParser
import EarshotModel
import Foundation

/// `earshot-chaos outage`: all workers stand still for a time under load; nothing may show it but the lag.
struct OutageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outage", abstract: "Stops all workers for a while under load: clients and gateways go on.")

    @OptionGroup var options: HarnessOptions

    @Option(help: "How long the workers stand still.")
    var seconds = 600.0

    /// Allocators keep some; what grows with the backlog is far more.
    private static let growthMaximum = 1.25

    func run() async throws {
        let report = try await Stage.with(options, workers: options.workers ?? "gateway=1,transcript=2") { stage in
            try await measure(stage)
        }
        try report.publish()
        if !report.isPassed { throw ExitCode.failure }
    }

    private func measure(_ stage: Stage) async throws -> ChaosReport {
        let crowd = Crowd(stage: stage, count: options.devices, recording: try .quiet(seconds: 0))
        let length = crowd.rampSeconds + seconds + 20
        let lasting = Crowd(stage: stage, count: crowd.count, recording: try .quiet(seconds: length))
        let services = try await CrowdServices.switchedOn(stage, users: lasting.servedUsers)
        async let outcomes = lasting.run()
        try await lasting.untilLive()
        try await rest(.seconds(5))
        let workers = stage.fleet.nodes.filter { !$0.key.hasPrefix("gateway") && !$0.key.hasPrefix("coordinator") }
        stage.log("stopping \(workers.keys.sorted().joined(separator: ", ")) for \(seconds) s")
        let memory = try await outage(stage, Array(workers.values))
        let left = try await stage.view.lag()
        stage.log("going on with \(left.entries) unread entries")
        let results = await outcomes
        let gone = stage.clock()
        let quiet = await QuietWatch(stage: stage).run(since: gone, limit: max(120, seconds))
        try await stage.tap.catchUp()
        var report = report(stage, results, memory, backlog: left.entries, quiet)
        report.checks += await services.checks()
        await services.stop()
        return report
    }

    /// Stops the workers, samples the gateways' memory, and lets them go on.
    private func outage(_ stage: Stage, _ workers: [Int32]) async throws -> [Double] {
        for pid in workers { kill(pid, SIGSTOP) }
        defer { for pid in workers { kill(pid, SIGCONT) } }
        let gateways = stage.fleet.nodes.filter { $0.key.hasPrefix("gateway") }.values
        let end = stage.clock() + seconds
        var memory: [Double] = []
        while stage.clock() < end {
            let bytes = gateways.compactMap(ProcessTable.residentBytes).reduce(0, +)
            memory.append(Double(bytes) / 1_048_576)
            try await rest(.seconds(min(1, max(0.05, end - stage.clock()))))
        }
        return memory
    }

    private func report(
        _ stage: Stage, _ results: [SessionOutcome], _ memory: [Double], backlog: Int, _ quiet: QuietWatch.Report
    ) -> ChaosReport {
        var violations: [String] = []
        let closed = results.filter { !$0.isWhole }
        if let first = closed.first {
            violations.append("\(closed.count) sessions did not end as their device wished, such as \(first)")
        }
        let ends = stage.tap.log.events.filter { $0.type == .sessionEnded }
        let arrived = ends.reduce(0) { $0 + Int($1.frames ?? 0) }
        let sent = results.reduce(0) { $0 + $1.sentMessages }
        if arrived != sent { violations.append("\(sent) messages sent, \(arrived) processed") }
        let first = memory.first ?? 0
        let last = memory.suffix(5).max() ?? 0
        if last > first * Self.growthMaximum { violations.append("gateways grew from \(first) MB to \(last) MB") }
        var report = ChaosReport(run: "outage", seconds: seconds)
        report.figures = [
            "sessions": Double(results.count), "sessions_closed_early": Double(closed.count),
            "messages_sent": Double(sent), "messages_processed": Double(arrived), "backlog_entries": Double(backlog),
            "gateway_mb_first": first, "gateway_mb_last": last, "gateway_mb_max": memory.max() ?? 0,
        ]
        report.checks = [
            CheckResult("outage", figures: [:], violations: violations), CheckResult.within(.infinity, quiet),
        ]
        return report
    }
}
