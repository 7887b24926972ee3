import ArgumentParser
import EarshotClient
import EarshotModel
import Foundation
import NIOPosix
import TestSupport

/// `earshot-chaos failover`: kills the primary Redis under load and promotes a replica that is behind it.
struct FailoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failover",
        abstract: "Kills Redis, promotes a replica by hand; what was lost, what was told, how long nothing went on.")

    @OptionGroup var options: HarnessOptions

    @Option(help: "The durability that devices ask for.")
    var ack = "redis"

    @Option(help: ArgumentHelp("How far the replica is behind.", valueName: "milliseconds"))
    var lag = 200

    @Option(help: "How long devices stream.")
    var seconds = 60.0

    func validate() throws {
        guard UploadDurability(rawValue: ack) != nil else {
            throw ValidationError("--ack \(ack) is not allowed; allowed are received, redis, fsynced, stored")
        }
    }

    func run() async throws {
        let report = try await Stage.with(options, workers: options.workers ?? "gateway=2,transcript=1") { stage in
            try await measure(stage)
        }
        try report.publish()
        if !report.isPassed { throw ExitCode.failure }
    }

    private func measure(_ stage: Stage) async throws -> ChaosReport {
        let replica = try await StandbyRedis.following(stage.servers.redis, lag: .milliseconds(lag))
        let recording = try Recording.quiet(seconds: seconds)
        async let uploads = upload(recording, stage)
        try await rest(.seconds(seconds / 2))
        stage.log("killing the primary; its replica is \(lag) ms behind")
        let killed = ContinuousClock.now
        stage.servers.redis.kill()
        let known = try await replica.promote()
        try stage.servers.redisProxy.point(to: replica.port)
        let first = try await replica.untilAppended(beyond: known)
        let standstill = killed.duration(to: first).seconds
        let reports = await uploads
        let metrics = try await stage.fleet.metrics()
        let ledger = try await ledger(of: stage, redisPort: replica.port)
        await replica.stop()
        return report(reports, metrics, ledger, standstill: standstill)
    }

    /// The ledger, when nothing is in flight any more, and the coordinators have ended what Redis lost, or could have.
    private func ledger(of stage: Stage, redisPort: Int) async throws -> CheckResult {
        _ = try? await eventually(within: .seconds(150), "all is through") {
            let found = try await AuditChecker().check(stage, redisPort: redisPort)
            return found.figures["in_flight"] == 0 && found.figures["unaccounted"] == 0
        }
        return try await AuditChecker().check(stage, redisPort: redisPort)
    }

    private func upload(_ recording: Recording, _ stage: Stage) async -> [UploadReport] {
        await withTaskGroup(of: UploadReport?.self) { group in
            for index in 0..<options.devices {
                let ports = stage.fleet.gatewayPorts
                var configuration = UploadConfiguration(
                    url: "ws://127.0.0.1:\(ports[index % ports.count])/v1/stream?codec=\(recording.codec.rawValue)"
                        + "&sample_rate=16000&language=en")
                configuration.headers = [("Authorization", "Bearer dev:failover-\(index)")]
                configuration.durability = UploadDurability(rawValue: ack) ?? .redis
                let upload = DeviceUpload(configuration, source: RecordingSource(recording.stream, speed: 1))
                group.addTask { try? await upload.run(on: MultiThreadedEventLoopGroup.singleton) }
            }
            return await group.reduce(into: []) { if let report = $1 { $0.append(report) } }
        }
    }

    private func report(
        _ reports: [UploadReport], _ metrics: Metrics, _ ledger: CheckResult, standstill: Double
    ) -> ChaosReport {
        let whole = reports.filter { $0.outcome == .completed && $0.acknowledgedCount == $0.messageCount }
        let lost = ledger.figures["lost"] ?? 0
        let told = metrics.sum("earshot_gateway_frames_rolled_back_total")
        var violations: [String] = []
        if whole.count != options.devices {
            violations.append("\(whole.count) of \(options.devices) uploads are whole")
        }
        if told < lost { violations.append("\(lost) messages are lost, \(told) were told") }
        var report = ChaosReport(run: "failover \(ack)", seconds: seconds)
        report.figures = [
            "messages": Double(reports.reduce(0) { $0 + $1.messageCount }),
            "messages_sent_again": Double(reports.reduce(0) { $0 + $1.transmissionCount - $1.messageCount }),
            "told_rolled_back_at_most": told, "acknowledged_lost": lost,
            "lost_by_workers": metrics.sum("earshot_worker_frames_lost_total"),
            "reconnects": Double(reports.reduce(0) { $0 + $1.reconnectCount }), "replica_lag_ms": Double(lag),
            "standstill_s": standstill,
        ]
        report.checks = [CheckResult("failover", figures: [:], violations: violations), ledger]
        return report
    }
}
