import ArgumentParser
import EarshotModel
import Foundation
import PostgresClient

/// `earshot-chaos gateway-kill`: kills a gateway full of sessions, and measures until none of them is left anywhere.
struct GatewayKillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway-kill",
        abstract: "Kills a gateway with many sessions; time until all are ended and drained.")

    @OptionGroup var options: HarnessOptions

    @Flag(
        help: "Native devices, which come back; what was acknowledged before the kill is looked for in what is stored.")
    var native = false

    /// Issue 4, acceptance 2.
    private static let secondsMaximum = 15.0

    func run() async throws {
        let report = try await Stage.with(options, workers: options.workers ?? "gateway=1,transcript=2") { stage in
            guard native else { return try await measure(stage) }
            return try await NativeGatewayKill(
                stage: stage, count: options.devices, secondsMaximum: Self.secondsMaximum
            ).run()
        }
        try report.publish()
        if !report.isPassed { throw ExitCode.failure }
    }

    private func measure(_ stage: Stage) async throws -> ChaosReport {
        let crowd = Crowd(
            stage: stage, count: options.devices, recording: try .quiet(seconds: 120), speed: Crowd.gated)
        let services = try await CrowdServices.switchedOn(stage, users: crowd.servedUsers)
        let (began, quiet) = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = await crowd.run() }
            defer { group.cancelAll() }
            try await crowd.untilLive()
            stage.log("\(crowd.count) sessions are live; killing their gateway")
            guard let gateway = stage.fleet.nodes["gateway-0"] else { throw HarnessError("there is no gateway-0") }
            kill(gateway, SIGKILL)
            let began = stage.clock()
            return (began, await QuietWatch(stage: stage).run(since: began, limit: 120))
        }
        try await stage.tap.catchUp()
        let dead = EndReason.gatewayDead.name
        let reasons = stage.tap.log.events.filter { $0.type == .sessionEnded }.map { $0.reason ?? "none" }
        var report = ChaosReport(run: "gateway-kill", seconds: stage.clock() - began)
        report.figures = ["sessions": Double(crowd.count), "ended": Double(reasons.count)]
        for reason in reasons { report.figures["ended_\(reason)", default: 0] += 1 }
        report.checks = [
            CheckResult.within(Self.secondsMaximum, quiet),
            CheckResult(
                "endings", figures: [:],
                violations: reasons == Array(repeating: dead, count: crowd.count)
                    ? [] : ["\(reasons.count { $0 == dead }) ends \(dead) and \(reasons.count) in all"]),
        ]
        report.checks += await services.checks()
        await services.stop()
        return report
    }
}

extension CheckResult {
    /// Whether everything was gone within a time.
    static func within(_ limit: Double, _ quiet: QuietWatch.Report) -> CheckResult {
        var figures = quiet.conditions.compactMapValues(\.self).reduce(into: [:]) { $0["\($1.key)_s"] = $1.value }
        var violations: [String] = []
        for (name, time) in quiet.conditions where time == nil {
            violations.append("\(name): \(quiet.left[name] ?? 0) left")
        }
        if let total = quiet.total {
            figures["all_s"] = total
            if total > limit { violations.append("took \(total) s, allowed are \(limit) s") }
        }
        return CheckResult("quiet", figures: figures, violations: violations)
    }
}
