import ArgumentParser
import EarshotModel
import Foundation

/// `earshot-chaos handover`: restarts transcript workers under many sessions, and measures how long each stood still.
struct HandOverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "handover",
        abstract: "Restarts workers; time until each of their partitions is read by another.")

    @OptionGroup var options: HarnessOptions

    @Option(help: "How often a worker is restarted.")
    var restarts = 6

    /// Issue 4, 3: a restart delays no session by more.
    private static let delayMaximum = 2.0
    /// A partition that nobody has taken by then counts as this late.
    private static let limit = 30.0
    /// What a new worker needs until it owns its share again, and has replayed what its lanes had in hand.
    private static let settling: Duration = .seconds(20)

    func run() async throws {
        let report = try await Stage.with(options, workers: options.workers ?? "gateway=2,transcript=2") { stage in
            try await measure(stage)
        }
        try report.publish()
        if !report.isPassed { throw ExitCode.failure }
    }

    private func measure(_ stage: Stage) async throws -> ChaosReport {
        let crowd = Crowd(
            stage: stage, count: options.devices, recording: try .quiet(seconds: 3_600), speed: Crowd.gated)
        let services = try await CrowdServices.switchedOn(stage, users: crowd.servedUsers)
        let (delays, quiet) = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = await crowd.run() }
            defer { group.cancelAll() }
            try await crowd.untilLive()
            try await rest(Self.settling)
            var delays: [Double] = []
            for number in 0..<restarts {
                delays += try await restart("transcript-\(number % 2)", stage)
                try await rest(Self.settling)
            }
            group.cancelAll()
            return (delays, await QuietWatch(stage: stage).run(since: stage.clock(), limit: 120))
        }
        let distribution = Distribution(delays)
        var report = ChaosReport(run: "handover", seconds: stage.clock())
        report.figures = distribution.figures("standstill")
        report.figures["sessions"] = Double(crowd.count)
        let longest = delays.max() ?? .infinity
        report.checks = [
            CheckResult(
                "handover", figures: [:],
                violations: longest > Self.delayMaximum
                    ? ["a partition stood still for \(longest) s, allowed are \(Self.delayMaximum)"] : []),
            CheckResult.within(.infinity, quiet),
        ]
        report.checks += await services.checks()
        await services.stop()
        return report
    }

    /// Restarts a worker; for each session's partition that it read, the time until another reads it.
    private func restart(_ node: String, _ stage: Stage) async throws -> [Double] {
        guard let pid = stage.fleet.nodes[node] else { throw HarnessError("there is no \(node)") }
        let live = try await stage.view.liveByPartition()
        var waiting = Dictionary(
            try await stage.view.leases(of: [.transcript])
                .filter { Incarnation($0.owner)?.name == node && live[$0.partition, default: 0] > 0 }
                .map { ($0.partition, $0.token) }, uniquingKeysWith: { first, _ in first })
        stage.log("restarting \(node), which reads \(waiting.count) partitions")
        kill(pid, SIGTERM)
        let began = stage.clock()
        var delays: [Double] = []
        while !waiting.isEmpty, stage.clock() - began < Self.limit {
            try await rest(.milliseconds(10))
            for lease in try await stage.view.leases(of: [.transcript]) {
                guard let token = waiting[lease.partition], token != lease.token else { continue }
                waiting[lease.partition] = nil
                delays.append(stage.clock() - began)
            }
        }
        stage.log("the last partition after \(delays.max() ?? 0) s")
        return delays + waiting.map { _ in Self.limit }
    }
}
