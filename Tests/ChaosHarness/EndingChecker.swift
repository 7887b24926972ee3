import EarshotModel
import PostgresClient

/// (b) Each session ended exactly once, with a reason, and the record agrees; no gateway was called dead that no fault
/// had hit, and no conversation was completed twice.
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
            if reason == EndReason.gatewayDead.name, let gateway = Self.gateway(of: started[session]?.first),
                !evidence.faults.contains(where: { $0.target == gateway })
            {
                violations.append("\(session): \(gateway) was called dead, and nothing had happened to it")
            }
        }
        let completed = Dictionary(
            grouping: evidence.events.events.filter { $0.type == .conversationCompleted },
            by: { "\($0.uid)/\($0.conversation)" })
        figures["conversations_completed"] = Double(completed.count)
        for (conversation, events) in completed where events.count > 1 {
            violations.append("\(conversation): completed \(events.count) times")
        }
        return CheckResult(name, figures: figures, violations: violations)
    }

    /// The supervisor's name of the gateway that had a session.
    private static func gateway(of start: SessionEvent?) -> String? {
        start?.gateway.flatMap { Incarnation($0)?.name }
    }
}
