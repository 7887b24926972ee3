import EarshotModel
import PostgresClient

/// (b) Each session ended exactly once, with a reason, and the record agrees.
struct EndingChecker: Checker {
    let name = "endings"

    func check(_ evidence: Evidence) async throws -> CheckResult {
        var violations: [String] = []
        let started = evidence.events(.sessionStarted)
        let ended = evidence.events(.sessionEnded)
        let rows = try await evidence.stage.record.query(
            "SELECT id::text AS id, end_reason FROM sessions WHERE ended_at IS NOT NULL")
        var recorded: [String: String] = [:]
        for row in rows { recorded[try row.decode("id")] = try row.decode("end_reason", as: String?.self) ?? "" }
        var figures: [String: Double] = ["sessions": Double(started.count)]
        for session in Set(started.keys).union(evidence.knownSessions) {
            if started[session]?.count != 1 {
                violations.append("\(session): \(started[session]?.count ?? 0) events of its start")
            }
            let ends = ended[session] ?? []
            guard ends.count == 1, let reason = ends[0].reason, !reason.isEmpty else {
                violations.append(
                    "\(session): \(ends.count) events of its end, reasons \(ends.map { $0.reason ?? "none" })")
                continue
            }
            figures["ended_\(reason)", default: 0] += 1
            if recorded[session] != reason {
                violations.append("\(session): ended \(reason), the record says \(recorded[session] ?? "not ended")")
            }
        }
        return CheckResult(name, figures: figures, violations: violations)
    }
}
