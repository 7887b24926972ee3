import ArgumentParser
import EarshotModel
import Foundation
import TestSupport

/// `earshot-chaos recovery`: kills transcript workers and measures until another one commits.
struct RecoveryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recovery", abstract: "Kills transcript workers; time until their successors commit.")

    @OptionGroup var options: HarnessOptions

    @Option(help: "How many kills.")
    var kills = 200

    /// Issue 4, acceptance 2.
    private static let p99Maximum = 10.0
    private static let limit = 30.0
    /// A worker that is killed often is started again after 5 s at most.
    private static let restartLimit = 20.0
    /// What lies between the worker's restart and the next kill, so that kills are in step with nothing.
    private static let pause = 0.2...1.5

    func run() async throws {
        let seed = options.drawnSeed()
        let report = try await Stage.with(options, workers: options.workers ?? "transcript=3") { stage in
            try await measure(stage, seed: seed)
        }
        try report.publish()
        if !report.isPassed { throw ExitCode.failure }
    }

    private func measure(_ stage: Stage, seed: UInt64) async throws -> ChaosReport {
        let recordings = try Recording.make(count: options.devices, sentences: 4)
        let devices = try await DeviceFleet.prepared(
            recordings, gatewayPorts: stage.fleet.gatewayPorts, speed: 1, clock: stage.clock)
        let times = await withTaskGroup(of: [(first: Double, all: Double)]?.self) { group in
            group.addTask {
                await devices.run(until: .infinity)
                return nil
            }
            group.addTask { await killAll(stage, seed: seed) }
            while let times = await group.next() {
                guard let times else { continue }
                group.cancelAll()
                return times
            }
            return []
        }
        await devices.stop()
        var report = ChaosReport(run: "recovery", seed: seed, seconds: stage.clock())
        let all = Distribution(times.map(\.all))
        report.figures = Distribution(times.map(\.first)).figures("first_commit")
            .merging(all.figures("every_partition")) { first, _ in first }
        report.figures["seconds_per_kill"] = report.seconds / Double(max(1, times.count))
        let p99 = all.quantile(0.99)
        let violations = p99 > Self.p99Maximum ? ["p99 is \(p99) s, allowed are \(Self.p99Maximum) s"] : []
        report.checks = [CheckResult("recovery", figures: [:], violations: violations)]
        if times.count < kills { report.problems.append("only \(times.count) of \(kills) kills were measured") }
        return report
    }

    private func killAll(_ stage: Stage, seed: UInt64) async -> [(first: Double, all: Double)] {
        var random = SeededGenerator(seed: seed)
        var times: [(first: Double, all: Double)] = []
        var attempts = 0
        while times.count < kills, attempts < kills * 3, !Task.isCancelled {
            attempts += 1
            try? await rest(.seconds(Double.random(in: Self.pause, using: &random)))
            guard let time = try? await killOne(stage, using: &random) else { continue }
            times.append(time)
            stage.log("kill \(times.count): first commit \(time.first) s, every partition \(time.all) s")
            await untilRestarted(stage)
        }
        return times
    }

    /// Waits until the fleet has all its transcript workers again; which of them owns something shows in leases.
    private func untilRestarted(_ stage: Stage) async {
        let count = stage.fleet.roles["transcript"] ?? 0
        let end = stage.clock() + Self.restartLimit
        while stage.clock() < end, !Task.isCancelled {
            let running = stage.fleet.nodes.keys.filter { $0.hasPrefix("transcript-") }.count
            if running >= count, await stage.fleet.isReady() { return }
            try? await rest(.milliseconds(50))
        }
    }

    /// Kills an owner of live sessions; nil when there is none.
    private func killOne(
        _ stage: Stage, using random: inout SeededGenerator
    ) async throws -> (first: Double, all: Double)? {
        let live = try await stage.view.liveByPartition()
        let leases = try await stage.view.leases(of: [.transcript]).filter { live[$0.partition, default: 0] > 0 }
        let nodes = stage.fleet.nodes
        guard let owner = leases.map(\.owner).randomElement(using: &random),
            let name = Incarnation(owner)?.name, let pid = nodes[name]
        else { return nil }
        var waiting = Dictionary(
            leases.filter { $0.owner == owner }.map { ($0.partition, $0.token) },
            uniquingKeysWith: { first, _ in first })
        kill(pid, SIGKILL)
        let began = stage.clock()
        var first: Double?
        while stage.clock() - began < Self.limit {
            try await rest(.milliseconds(20))
            for lease in try await stage.view.leases(of: [.transcript]) where lease.commits > 0 {
                guard let token = waiting[lease.partition], token != lease.token else { continue }
                waiting[lease.partition] = nil
                if first == nil { first = stage.clock() - began }
            }
            let stillLive = try await stage.view.liveByPartition()
            // A session that ended meanwhile may leave nothing to commit.
            waiting = waiting.filter { stillLive[$0.key, default: 0] > 0 }
            if waiting.isEmpty { break }
        }
        // Nobody within the limit is the worst case, not none; nothing left to commit is none.
        guard let first else { return waiting.isEmpty ? nil : (Self.limit, Self.limit) }
        return (first, stage.clock() - began)
    }
}
