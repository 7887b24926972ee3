import EarshotModel
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
    /// A conversation is over after 120 s of silence, and waits for its stored audio for up to 30 s.
    private static let conversationLimit = 240.0

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
        let (zero, injector, devices) = try await disturbedRun(recordings, requests)
        let gone = stage.clock()
        stage.log("the last device is gone; waiting for quiet")
        let quiet = await QuietWatch(stage: stage).run(since: gone, limit: Self.quietLimit)
        stage.log("quiet: \(quiet.total.map { String(format: "%.1f s", $0) } ?? "not within \(Self.quietLimit) s")")
        let after = descriptors()
        stage.log("waiting for the conversations' ends")
        await untilCompleted()
        try await stage.tap.catchUp()
        let evidence = Evidence(
            stage: stage, recordings: recordings, calm: calm, outcomes: devices.results, uploads: devices.uploads,
            events: stage.tap.log, tally: injector.tally, zero: zero, quiet: quiet, descriptorsBefore: before,
            descriptorsAfter: after, receiver: receiver, receiverMissing: missing, samples: requests.asked)
        var report = ChaosReport(run: "chaos", seed: seed, seconds: seconds)
        report.faults = Dictionary(
            evidence.tally.effects.map { ($0.fault.kind.rawValue, 1) }, uniquingKeysWith: +)
        report.figures = await figures(evidence)
        report.checks = await check(evidence)
        report.problems = injector.problems
        await devices.stop()
        await receiver.stop()
        return report
    }

    /// Switches storage on for the devices' users, and subscribes the receiver; says why the latter cannot be.
    private func prepare(_ receiver: WebhookReceiver, _ recordings: [Recording]) async throws -> String? {
        let users = recordings.flatMap { [DeviceFleet.user($0.index), Self.calmUser($0.index)] }
        let missing = try await WebhookChecker.subscribe(
            receiver, users: users, types: WebhookChecker.types, withAudio: true, stage)
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
    ) async throws -> (zero: Int64, FaultInjector, DeviceFleet) {
        let offset = stage.clock()
        let zero = WallClock.microseconds
        let clock: @Sendable () -> Double = { [stage] in stage.clock() - offset }
        let devices = try await DeviceFleet.prepared(
            recordings, gatewayPorts: stage.fleet.gatewayPorts, speed: 1, clock: clock)
        let plan = plan
        let injector = FaultInjector(
            plan: plan, fleet: stage.fleet, servers: stage.servers, devices: devices,
            log: { [stage] in stage.log($0) })
        stage.log("disturbed run: \(deviceCount) devices, \(plan.faults.count) faults in \(seconds) s, seed \(seed)")
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await devices.run(until: seconds) { await requests.ask(for: $0, before: seconds) } }
            group.addTask { await injector.run(clock: clock) }
        }
        devices.heal()
        stage.servers.redisProxy.clear()
        stage.servers.postgresProxy.clear()
        return (zero, injector, devices)
    }

    /// Waits until every conversation is completed, and everybody has read that; what is not by then, checks show.
    private func untilCompleted() async {
        let end = stage.clock() + Self.conversationLimit
        while stage.clock() < end {
            // The one before the other: what completes a conversation is an event, too.
            if (try? await stage.view.openConversations()) == 0, let lag = try? await stage.view.lag(),
                lag.entries + lag.unknown == 0
            {
                return
            }
            try? await rest(.milliseconds(500))
        }
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

    private func figures(_ evidence: Evidence) async -> [String: Double] {
        let outcomes = evidence.outcomes
        var figures: [String: Double] = [
            "devices": Double(deviceCount), "faults": Double(evidence.tally.effects.count),
            "faults_skipped": Double(evidence.tally.skipped.values.reduce(0, +)),
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
            FaultChecker(), TranscriptChecker(), MessageChecker(), EndingChecker(), QuietChecker(), DescriptorChecker(),
            RecordChecker(), StoredAudioChecker(), NativeAudioChecker(), WebhookChecker(), AudioWindowChecker(),
            SampleChecker(), AuditChecker(),
        ]
        var results: [CheckResult] = []
        for checker in checkers {
            results.append(await CheckResult.of(checker.name) { try await checker.check(evidence) })
        }
        return results
    }
}
