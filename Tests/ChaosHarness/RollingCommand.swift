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

    @Option(help: "Most reconnects a second allowed; 0 only shows them.")
    var rateMaximum = 0

    func run() async throws {
        let workers = options.workers ?? "gateway=3,transcript=2"
        let report = try await Stage.with(options, workers: workers) { stage in try await measure(stage) }
        try report.publish()
        if !report.isPassed { throw ExitCode.failure }
    }

    /// Connections by the second in which they came about, and what became of the sessions.
    private final class Book: Sendable {
        let connects = Mutex<[Int: Int]>([:])
        let outcomes = Mutex<[SessionOutcome]>([])
        let isOver = Mutex(false)
    }

    private func measure(_ stage: Stage) async throws -> ChaosReport {
        let recording = try Recording.quiet(seconds: 3_600)
        let book = Book()
        let count = options.devices
        let ramp = Double(count) / 200
        let began = try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<count {
                group.addTask {
                    await device(index, recording, stage, book, delay: ramp * Double(index) / Double(count))
                }
            }
            defer { group.cancelAll() }
            let crowd = Crowd(stage: stage, count: count, recording: recording)
            try await crowd.untilLive()
            try await rest(.seconds(3))
            let began = stage.clock()
            for index in stage.fleet.gatewayPorts.indices { try await restart("gateway-\(index)", stage, crowd) }
            book.isOver.withLock { $0 = true }
            return began
        }
        let quiet = await QuietWatch(stage: stage).run(since: stage.clock(), limit: 120)
        try await stage.tap.catchUp()
        return report(stage, book, since: began, quiet)
    }

    /// Streams for ever: what ends is begun again at once, at another gateway, unless the server says when.
    private func device(_ index: Int, _ recording: Recording, _ stage: Stage, _ book: Book, delay: Double) async {
        try? await rest(.seconds(delay))
        while !Task.isCancelled, !book.isOver.withLock(\.self) {
            let port = stage.fleet.gatewayPorts.randomElement() ?? 0
            let outcome = await DeviceFleet.session(
                recording, user: "rolling-\(index)", port: port, speed: 1, lingerSeconds: 0, clock: stage.clock
            ) { observation in
                guard case .connected = observation else { return }
                let second = Int(stage.clock())
                book.connects.withLock { $0[second, default: 0] += 1 }
            }
            book.outcomes.withLock { $0.append(outcome) }
            try? await rest(.seconds(outcome.retryAfter ?? 0.1))
        }
    }

    private func restart(_ node: String, _ stage: Stage, _ crowd: Crowd) async throws {
        guard let pid = stage.fleet.nodes[node] else { throw HarnessError("there is no \(node)") }
        stage.log("restarting \(node)")
        kill(pid, SIGTERM)
        for _ in 0..<1_200 {
            try await rest(.milliseconds(100))
            if let now = stage.fleet.nodes[node], now != pid, await stage.fleet.isReady() { break }
        }
        try await crowd.untilLive()
        stage.log("\(node) is back, all sessions are live")
        try await rest(.seconds(3))
    }

    private func report(
        _ stage: Stage, _ book: Book, since began: Double, _ quiet: QuietWatch.Report
    ) -> ChaosReport {
        let connects = book.connects.withLock(\.self).filter { $0.key >= Int(began) }
        let outcomes = book.outcomes.withLock(\.self)
        let peak = connects.values.max() ?? 0
        for second in (connects.keys.min() ?? 0)...(connects.keys.max() ?? 0) {
            let count = connects[second, default: 0]
            let bar = String(repeating: "#", count: peak > 0 ? (count * 60 + peak - 1) / peak : 0)
            Stage.say("\(String(format: "%5d s %5d", second - Int(began), count)) \(bar)")
        }
        let ends = stage.tap.log.events.filter { $0.type == .sessionEnded }
        var violations: [String] = []
        if rateMaximum > 0, peak > rateMaximum { violations.append("\(peak) reconnects in a second") }
        let lost = ends.filter { $0.reason == EndReason.gatewayDead.name }.count
        if lost > 0 { violations.append("\(lost) sessions ended as if their gateway had died") }
        var report = ChaosReport(run: "rolling", seconds: stage.clock() - began)
        report.figures = [
            "devices": Double(options.devices), "reconnects": Double(connects.values.reduce(0, +)),
            "reconnects_per_second_max": Double(peak), "refused": Double(outcomes.count { $0.session == nil }),
            "sessions_ended": Double(ends.count),
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
