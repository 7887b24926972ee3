import EarshotModel
import FoundationEssentials
import SessionRecord

/// The record as text for people.
enum ConsoleSessions {
    /// A page, and how to get the next one.
    static func listing(_ listing: SessionListing) -> String {
        let more = listing.next.map { "\nmore: the same with --before \($0)" } ?? ""
        return table(listing.sessions) + more
    }

    /// A table of sessions, or one line that says there are none.
    static func table(_ sessions: [ListedSession]) -> String {
        guard !sessions.isEmpty else { return "no sessions (--all lists those that have ended, too)" }
        let header = ["SESSION", "UID", "CODEC", "STARTED", "ENDED", "WHY", "AUDIO"]
        let rows = sessions.map { session in
            [
                session.sessionID, cut(session.uid, 24), session.codec ?? "–", moment(session.startedAt),
                session.endedAt == nil ? "live" : moment(session.endedAt), session.endReason ?? "–",
                session.audioSeconds.map { clock(seconds: $0) } ?? "–",
            ]
        }
        return aligned([header] + rows)
    }

    /// A table of days, or one line that says there are none.
    static func usage(_ days: [DailyUsage]) -> String {
        guard !days.isEmpty else { return "no audio of this user" }
        let rows = days.map { day in
            [
                day.day, clock(seconds: day.receivedSeconds), clock(seconds: day.transcribedSeconds),
                clock(seconds: day.storedSeconds),
            ]
        }
        return aligned([["DAY", "RECEIVED", "TRANSCRIBED", "STORED"]] + rows)
    }

    /// One line a segment: when, who, what.
    static func transcript(_ segments: [TranscriptSegment]) -> String {
        segments.map { "\(clock(seconds: $0.start))  \(speaker($0))  \($0.text)" }.joined(separator: "\n")
    }

    /// The speaker, and in brackets who that is, where it is known.
    private static func speaker(_ segment: TranscriptSegment) -> String {
        let person = segment.isUser ? KnownVoice.owner : segment.personID
        return segment.speaker + (person.map { " (\($0))" } ?? "")
    }

    /// Minutes and seconds with tenths.
    static func clock(seconds: Double) -> String {
        // Nobody's recording is that long; a number out of a broken database must not trap.
        let tenths = Int(min(max(seconds.isNaN ? 0 : seconds, 0), 1e9) * 10)
        let minutes = tenths / 600
        let rest = tenths % 600
        return "\(minutes):\(rest < 100 ? "0" : "")\(rest / 10).\(rest % 10)"
    }

    private static func moment(_ timestamp: String?) -> String {
        timestamp.map { String($0.prefix(19)) + "Z" } ?? "–"
    }

    private static func cut(_ text: String, _ length: Int) -> String {
        text.count > length ? text.prefix(length - 1) + "…" : text
    }

    static func aligned(_ rows: [[String]]) -> String {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}
