import EarshotModel
import PostgresClient

/// (b) Each session ended exactly once, with a reason, and the record agrees; no gateway was called dead but of a fault
/// that had hit it then, each that was killed was called so, and no conversation was completed twice.
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
        if started.isEmpty { violations.append("no session was seen") }
        try await compareDeaths(evidence, started, ended, &figures, &violations)
        let completed = Dictionary(
            grouping: evidence.events.events.filter { $0.type == .conversationCompleted },
            by: { "\($0.uid)/\($0.conversation)" })
        figures["conversations_completed"] = Double(completed.count)
        for (conversation, events) in completed where events.count > 1 {
            violations.append("\(conversation): completed \(events.count) times")
        }
        return CheckResult(name, figures: figures, violations: violations)
    }

    /// Compares the deaths of gateways with the faults that hit them.
    private func compareDeaths(
        _ evidence: Evidence, _ started: [String: [SessionEvent]], _ ended: [String: [SessionEvent]],
        _ figures: inout [String: Double], _ violations: inout [String]
    ) async throws {
        let starts = started.values.compactMap(\.first)
        let moments = try await evidence.stage.view.ends(
            of: starts.compactMap { start in
                SessionID(start.session).flatMap { id in UserID(start.uid).map { (id, $0) } }
            })
        var lives: [GatewayDeaths.Life] = []
        for start in starts {
            guard let reason = ended[start.session]?.first?.reason else { continue }
            guard let gateway = start.gateway.flatMap({ Incarnation($0)?.name }), let moment = moments[start.session]
            else {
                violations.append("\(start.session): nobody knows its gateway, or when it was ended")
                continue
            }
            lives.append(
                GatewayDeaths.Life(
                    session: start.session, gateway: gateway, reason: reason, began: evidence.seconds(start.time),
                    ended: evidence.seconds(moment)))
        }
        let deaths = GatewayDeaths(evidence.tally.effects)
        for life in lives where life.reason == EndReason.gatewayDead.name {
            if deaths.explain(life) {
                figures["dead_explained", default: 0] += 1
            } else {
                violations.append(
                    "\(life.session): \(life.gateway) was called dead at \(life.ended) s, and nothing had hit it then"
                )
            }
        }
        let (kills, sessions, others) = deaths.killed(lives)
        figures["gateways_killed"] = Double(kills)
        figures["live_at_kill"] = Double(sessions)
        if kills > 0, sessions == 0 { violations.append("\(kills) gateways were killed, all of them without sessions") }
        for life in others {
            violations.append("\(life.session): \(life.gateway) was killed under it, and it ended \(life.reason)")
        }
    }
}
