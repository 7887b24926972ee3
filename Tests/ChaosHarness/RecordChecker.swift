import EarshotModel
import PostgresClient

/// (e) The record in Postgres says what the events said.
struct RecordChecker: Checker {
    let name = "record"

    func check(_ evidence: Evidence) async throws -> CheckResult {
        var violations: [String] = []
        let added = try await evidence.stage.view.eventsAdded()
        for (partition, count) in added where count != evidence.events.countByPartition[partition, default: 0] {
            violations.append(
                "\(partition): the harness read \(evidence.events.countByPartition[partition, default: 0]) of \(count) "
                    + "events, so nothing can be said about the others")
        }
        if evidence.events.unreadable > 0 { violations.append("\(evidence.events.unreadable) events cannot be read") }
        let ids = Dictionary(grouping: evidence.events.events, by: \.id).filter { $0.value.count > 1 }
        for (id, copies) in ids {
            violations.append("event \(id) (\(copies[0].type.rawValue)) stands \(copies.count) times")
        }
        try await compareSegments(evidence, &violations)
        let sessions = try await Self.column("SELECT id::text AS v FROM sessions", evidence)
        let started = Set(evidence.events(.sessionStarted).keys)
        for session in started.symmetricDifference(sessions) {
            violations.append("session \(session) is only \(started.contains(session) ? "in events" : "in the record")")
        }
        let figures = ["events": Double(evidence.events.events.count), "sessions": Double(sessions.count)]
        return CheckResult(name, figures: figures, violations: violations)
    }

    private func compareSegments(_ evidence: Evidence, _ violations: inout [String]) async throws {
        var said: [String: String] = [:]
        for event in evidence.events.events where event.type == .transcriptSegments {
            for (offset, segment) in (event.segments ?? []).enumerated() {
                said[segment.id] = "\(event.session) \((event.firstSegment ?? 0) + UInt64(offset)) \(segment.text)"
            }
        }
        let rows = try await evidence.stage.record.query(
            "SELECT id::text AS id, session::text || ' ' || ordinal || ' ' || text AS line FROM segments")
        var recorded: [String: String] = [:]
        for row in rows { recorded[try row.decode("id")] = try row.decode("line", as: String.self) }
        for (id, line) in said where recorded[id] != line {
            violations.append("segment \(id): said “\(line)”, recorded “\(recorded[id] ?? "nothing")”")
        }
        for (id, line) in recorded where said[id] == nil { violations.append("segment \(id) nobody said: \(line)") }
    }

    private static func column(_ statement: String, _ evidence: Evidence) async throws -> Set<String> {
        let rows = try await evidence.stage.record.query(.init(unsafeSQL: statement))
        return Set(try rows.map { try $0.decode("v", as: String.self) })
    }
}
