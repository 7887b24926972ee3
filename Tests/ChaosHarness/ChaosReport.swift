import Foundation

/// The answer of a run: a table for people, one line of JSON for programs.
struct ChaosReport: Encodable, Sendable {
    var run: String
    var seed: UInt64?
    var seconds: Double
    var figures: [String: Double] = [:]
    var faults: [String: Int] = [:]
    var checks: [CheckResult] = []
    /// Failures of the harness itself.
    var problems: [String] = []

    var isPassed: Bool { problems.isEmpty && !checks.contains { $0.state == .failed } }

    var table: String {
        var lines = ["", "\(run): \(isPassed ? "passed" : "FAILED")" + (seed.map { ", seed \($0)" } ?? "")]
        if !faults.isEmpty {
            lines.append(
                "  faults: " + faults.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            )
        }
        for (name, value) in figures.sorted(by: { $0.key < $1.key }) {
            lines.append("  \(name.padding(toLength: 34, withPad: " ", startingAt: 0)) \(Self.number(value))")
        }
        for check in checks {
            lines.append("  \(check.name.padding(toLength: 14, withPad: " ", startingAt: 0)) \(check.state.rawValue)")
            let figures = check.figures.sorted { $0.key < $1.key }.map { "\($0.key) \(Self.number($0.value))" }
            if !figures.isEmpty { lines.append("      " + figures.joined(separator: ", ")) }
            for violation in check.violations { lines.append("      - \(violation)") }
        }
        for problem in problems { lines.append("  harness: \(problem)") }
        return lines.joined(separator: "\n")
    }

    /// Prints both, the table on standard error.
    func publish() throws {
        Stage.say(table)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        FileHandle.standardOutput.write(try encoder.encode(self) + Data("\n".utf8))
    }

    static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(format: "%.2f", value)
    }
}
