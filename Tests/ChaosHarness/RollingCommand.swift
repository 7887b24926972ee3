import ArgumentParser
import EarshotClient
import EarshotModel
import Foundation
import Synchronization

/// `earshot-chaos rolling`: restarts three gateways one after the other, and draws how fast devices come back.
struct RollingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rolling", abstract: "Restarts three gateways under load; the reconnects of each second.")

    @OptionGroup var options: HarnessOptions

    @Flag(help: "Native devices, which the server paces; what they send is compared with what is stored.")
    var native = false

    @Option(
        help: """
            Most reconnects a second allowed; 0 only shows them. By default 0, and with --native what the server's \
            pacing allows.
            """)
    var rateMaximum: Int?

    func run() async throws {
        let workers = options.workers ?? "gateway=3,transcript=2"
        let report = try await Stage.with(options, workers: workers) { stage in
            guard native else { return try await measure(stage) }
            return try await NativeRolling(stage: stage, count: options.devices, rateMaximum: rateMaximum).run()
        }
        try report.publish()
        if !report.isPassed { throw ExitCode.failure }
    }

    /// What became of the sessions.
    private final class Book: Sendable {
        let curve = ReconnectCurve()
        let outcomes = Mutex<[SessionOutcome]>([])
        let isOver = Mutex(false)
    }

    private func measure(_ stage: Stage) async throws -> ChaosReport {
        let recording = try Recording.quiet(seconds: 3_600)
        let book = Book()
        let count = options.devices
        let ramp = Double(count) / 200
        let services = try await CrowdServices.switchedOn(stage, users: Crowd.served(of: count).map(Self.user))
        let began = try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<count {
                group.addTask {
                    await device(index, recording, stage, book, delay: ramp * Double(index) / Double(count))
                }
            }
            defer { group.cancelAll() }
            let began = try await RollingRestart(stage: stage, sessions: count).run()
            book.isOver.withLock { $0 = true }
            return began
        }
        let quiet = await QuietWatch(stage: stage).run(since: stage.clock(), limit: 120)
        try await stage.tap.catchUp()
        var report = report(stage, book, since: began, quiet)
        report.checks += await services.checks()
        await services.stop()
        return report
    }

    private static func user(_ index: Int) -> String { "rolling-\(index)" }

    /// Streams for ever: what ends is begun again at once, at another gateway, unless the server says when.
    private func device(_ index: Int, _ recording: Recording, _ stage: Stage, _ book: Book, delay: Double) async {
        try? await rest(.seconds(delay))
        while !Task.isCancelled, !book.isOver.withLock(\.self) {
            let port = stage.fleet.gatewayPorts.randomElement() ?? 0
            let outcome = await DeviceFleet.session(
                recording, user: Self.user(index), port: port, speed: 1, lingerSeconds: 0, clock: stage.clock
            ) { observation in
                if case .connected = observation { book.curve.note(at: stage.clock()) }
            }
            book.outcomes.withLock { $0.append(outcome) }
            try? await rest(.seconds(outcome.retryAfter ?? 0.1))
        }
    }

    private func report(
        _ stage: Stage, _ book: Book, since began: Double, _ quiet: QuietWatch.Report
    ) -> ChaosReport {
        book.curve.draw(since: began)
        let (total, peak) = book.curve.figures(since: began)
        let outcomes = book.outcomes.withLock(\.self)
        let ends = stage.tap.log.events.filter { $0.type == .sessionEnded }
        var violations: [String] = []
        if let rateMaximum, rateMaximum > 0, peak > rateMaximum {
            violations.append("\(peak) reconnects in a second")
        }
        let lost = ends.filter { $0.reason == EndReason.gatewayDead.name }.count
        if lost > 0 { violations.append("\(lost) sessions ended as if their gateway had died") }
        var report = ChaosReport(run: "rolling", seconds: stage.clock() - began)
        report.figures = [
            "devices": Double(options.devices), "reconnects": Double(total), "reconnects_per_second_max": Double(peak),
            "refused": Double(outcomes.count { $0.session == nil }), "sessions_ended": Double(ends.count),
            "messages_processed": Double(ends.reduce(0) { $0 + Int($1.frames ?? 0) }),
            "messages_sent": Double(outcomes.reduce(0) { $0 + $1.sentMessages }),
        ]
        for outcome in outcomes { if let code = outcome.closeCode { report.figures["close_\(code)", default: 0] += 1 } }
        report.checks = [
            CheckResult("rolling", figures: [:], violations: violations), CheckResult.within(.infinity, quiet),
        ]
        return report
    }
}
