import Foundation
import PostgresClient
import TestSupport

/// The whole of `make chaos`: an undisturbed run, a disturbed one, quiet, and the checks.
struct ChaosRun: Sendable {
    /// Undisturbed sessions at once, and their speed: enough to be quick, little enough not to be a load test.
    private static let calmSessions = 6
    private static let calmSpeed = 4.0
    /// The end of a run is without new faults, so that what is left to do is the devices' own.
    private static let faultlessTail = 20.0
    /// How long to look for quiet; past the 10 s that are allowed it only says how bad it is.
    private static let quietLimit = 60.0
    /// The reference must be whole; a build for debugging takes minutes.
    private static let calmLimit = 300.0

    let stage: Stage
    let seed: UInt64
    let seconds: Double
    let deviceCount: Int
    let faultCount: Int
    /// Kills of each kind of worker instead of faults of every kind.
    let killsOfEach: Int?
    let sentences: Int

    func run() async throws -> ChaosReport {
        let recordings = try Recording.make(count: deviceCount, sentences: sentences)
        let receiver = WebhookReceiver()
        try await receiver.start()
        let missing = try await prepare(receiver, recordings)
        stage.log("undisturbed run of \(recordings.count) recordings")
        let calm = await calmRun(recordings)
        let calmQuiet = await QuietWatch(stage: stage).run(since: stage.clock(), limit: Self.calmLimit)
        if calmQuiet.total == nil { stage.log("not quiet after the undisturbed run: \(calmQuiet.left)") }
        let before = descriptors()
        let requests = SampleRequests(stage)
        let (plan, injector, devices) = try await disturbedRun(recordings, requests)
        let gone = stage.clock()
        stage.log("the last device is gone; waiting for quiet")
        let quiet = await QuietWatch(stage: stage).run(since: gone, limit: Self.quietLimit)
        stage.log("quiet: \(quiet.total.map { String(format: "%.1f s", $0) } ?? "not within \(Self.quietLimit) s")")
        try await stage.tap.catchUp()
        let evidence = Evidence(
            stage: stage, calm: calm, outcomes: devices.results, uploads: devices.uploads, events: stage.tap.log,
            faults: plan.faults, quiet: quiet, descriptorsBefore: before, descriptorsAfter: descriptors(),
            receiver: receiver, receiverMissing: missing, samples: requests.asked)
        var report = ChaosReport(run: "chaos", seed: seed, seconds: seconds)
        report.faults = Dictionary(plan.faults.map { ($0.kind.rawValue, 1) }, uniquingKeysWith: +)
        report.figures = await figures(evidence, injector)
        report.checks = await check(evidence)
        report.problems = injector.problems
        await devices.stop()
        await receiver.stop()
        return report
    }

    /// Switches storage on for the devices' users, and subscribes the receiver; says why the latter cannot be.
    private func prepare(_ receiver: WebhookReceiver, _ recordings: [Recording]) async throws -> String? {
        let users = recordings.flatMap { [DeviceFleet.user($0.index), Self.calmUser($0.index)] }
        let missing = try await WebhookChecker.subscribe(receiver, users: users, stage)
        try await stage.storeAudio(of: users)
        return missing
    }

    private static func calmUser(_ index: Int) -> String { "calm-\(index)" }

    private func calmRun(_ recordings: [Recording]) async -> [SessionOutcome] {
        await withTaskGroup(of: SessionOutcome.self) { group in
            var waiting = recordings[...]
            var outcomes: [SessionOutcome] = []
            func next() {
                guard let recording = waiting.popFirst() else { return }
                let ports = stage.fleet.gatewayPorts
                let port = ports[recording.index % ports.count]
                group.addTask { [clock = stage.clock] in
                    await DeviceFleet.session(
                        recording, user: Self.calmUser(recording.index), port: port, speed: Self.calmSpeed,
                        clock: clock)
                }
            }
            for _ in 0..<Self.calmSessions { next() }
            for await outcome in group {
                outcomes.append(outcome)
                next()
            }
            return outcomes
        }
    }

    private func disturbedRun(
        _ recordings: [Recording], _ requests: SampleRequests
    ) async throws -> (FaultPlan, FaultInjector, DeviceFleet) {
        let offset = stage.clock()
        let clock: @Sendable () -> Double = { [stage] in stage.clock() - offset }
        let devices = try await DeviceFleet.prepared(
            recordings, gatewayPorts: stage.fleet.gatewayPorts, speed: 1, clock: clock)
        let plan = plan
        let injector = FaultInjector(
            fleet: stage.fleet, servers: stage.servers, devices: devices, log: { [stage] in stage.log($0) })
        stage.log("disturbed run: \(deviceCount) devices, \(plan.faults.count) faults in \(seconds) s, seed \(seed)")
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await devices.run(until: seconds) { await requests.ask(for: $0, before: seconds) } }
            group.addTask { await injector.run(plan, clock: clock) }
        }
        devices.heal()
        stage.servers.redisProxy.clear()
        stage.servers.postgresProxy.clear()
        return (plan, injector, devices)
    }

    private var plan: FaultPlan {
        let time = max(seconds / 2, seconds - Self.faultlessTail)
        let roles = stage.fleet.roles.filter { $0.key != "redis" && $0.key != "postgres" }
        guard let killsOfEach else {
            return FaultPlan(
                seed: seed, seconds: time, count: faultCount, cast: .init(roles: roles, devices: deviceCount))
        }
        let workers = roles.filter { $0.key != "gateway" && $0.key != "coordinator" }
        return FaultPlan(seed: seed, seconds: time, killsOfEach: killsOfEach, roles: workers)
    }

    /// Open files of each process of the fleet, by its name.
    private func descriptors() -> [String: Int] {
        var counts = stage.fleet.nodes.compactMapValues(ProcessTable.descriptors)
        counts["supervisor"] = ProcessTable.descriptors(of: stage.fleet.supervisorPID)
        return counts
    }

    private func figures(_ evidence: Evidence, _ injector: FaultInjector) async -> [String: Double] {
        let outcomes = evidence.outcomes
        var figures: [String: Double] = [
            "devices": Double(deviceCount), "faults": Double(evidence.faults.count - injector.skippedCount),
            "faults_skipped": Double(injector.skippedCount),
            "sessions": Double(outcomes.count { $0.session != nil }),
            "sessions_whole": Double(outcomes.count(where: \.isWhole)),
            "connections_refused": Double(outcomes.count { $0.session == nil }),
            "uploads": Double(evidence.uploads.count),
            "uploads_whole": Double(evidence.uploads.count(where: \.isWhole)),
        ]
        if let metrics = try? await stage.fleet.metrics() {
            for name in ["worker_commits_refused_total", "worker_gaps_total", "gateway_frames_lost_total"] {
                figures[name] = metrics.sum("earshot_\(name)")
            }
        }
        return figures
    }

    private func check(_ evidence: Evidence) async -> [CheckResult] {
        let checkers: [any Checker] = [
            TranscriptChecker(), MessageChecker(), EndingChecker(), QuietChecker(), DescriptorChecker(),
            RecordChecker(), StoredAudioChecker(), NativeAudioChecker(), WebhookChecker(), AudioWindowChecker(),
            SampleChecker(), AuditChecker(),
        ]
        var results: [CheckResult] = []
        for checker in checkers {
            do {
                results.append(try await checker.check(evidence))
            } catch {
                results.append(CheckResult(checker.name, figures: [:], violations: ["cannot be checked: \(error)"]))
            }
        }
        return results
    }
}
