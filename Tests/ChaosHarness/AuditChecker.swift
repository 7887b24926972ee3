import Foundation
import TestSupport

/// (j) The ledger of the product itself finds nothing unaccounted: `earshot audit --all --json`.
struct AuditChecker: Checker {
    let name = "audit"

    private static let limit: Duration = .seconds(180)

    func check(_ evidence: Evidence) async throws -> CheckResult { try await check(evidence.stage) }

    /// Runs the command against the fleet's servers, past the proxies; against another Redis when one took over.
    func check(_ stage: Stage, redisPort: Int? = nil) async throws -> CheckResult {
        let program = "\(stage.fleet.binaries)/earshot"
        let help = try await run([program, "help", "audit"])
        // For a command that is not there, the help is the whole program's, and no failure.
        guard help.output.contains("USAGE: earshot audit") else {
            return CheckResult(name, figures: [:], violations: ["`earshot help audit` says nothing of it"])
        }
        let answer = try await run(
            [
                "env", "EARSHOT_REDIS_URL=redis://127.0.0.1:\(redisPort ?? stage.servers.redis.port)/0",
                "EARSHOT_POSTGRES_URL=\(stage.servers.directPostgresURL)",
                "EARSHOT_STORE_DIR=\(stage.fleet.directory)/audio", program, "audit", "--all", "--json",
            ])
        guard let object = Self.json(answer.output) else {
            return CheckResult(name, figures: [:], violations: ["no JSON: \(answer.output.suffix(500))"])
        }
        let found = Self.numbers("unaccounted", in: object)
        var figures = ["status": Double(answer.status), "unaccounted": found.reduce(0, +)]
        for total in ["stored", "not_wanted", "in_flight", "dead_lettered", "lost", "messages"] {
            figures[total] = Self.sum((object as? [String: Any])?[total])
        }
        var violations = found.filter { $0 != 0 }.map { "unaccounted: \(ChaosReport.number($0))" }
        if found.isEmpty { violations.append("the answer does not say what is unaccounted") }
        if answer.status != 0 { violations.append("it ended with \(answer.status): \(answer.output.suffix(500))") }
        return CheckResult(name, figures: figures, violations: violations)
    }

    /// The output's JSON: all of it, or its last line that is an object.
    private static func json(_ output: String) -> Any? {
        if let all = try? JSONSerialization.jsonObject(with: Data(output.utf8)) { return all }
        return output.split(separator: "\n").reversed().lazy
            .compactMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) }.first
    }

    /// A number, or the sum of an object's.
    private static func sum(_ value: Any?) -> Double? {
        if let fields = value as? [String: Any] { return fields.values.compactMap { sum($0) }.reduce(0, +) }
        return (value as? NSNumber)?.doubleValue
    }

    /// All numbers under a name, wherever they stand.
    private static func numbers(_ name: String, in object: Any) -> [Double] {
        if let list = object as? [Any] { return list.flatMap { numbers(name, in: $0) } }
        guard let fields = object as? [String: Any] else { return [] }
        return fields.flatMap { key, value -> [Double] in
            if key == name, let number = value as? NSNumber { return [number.doubleValue] }
            return numbers(name, in: value)
        }
    }

    private func run(_ command: [String]) async throws -> (status: Int32, output: String) {
        let path = "/tmp/earshot-chaos-audit-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        // A shell leaves the exit code behind the output; the words of the command are its arguments.
        let script = #""$@"; echo "status $?""#
        let child = try ChildProcess(["sh", "-c", script, "audit"] + command, output: path)
        try await eventually(within: Self.limit, "\(command.last ?? "") has ended") { !child.isRunning }
        var lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let status = lines.popLast()?.split(separator: " ").last.flatMap { Int32($0) }
        return (status ?? -1, lines.joined(separator: "\n"))
    }
}
