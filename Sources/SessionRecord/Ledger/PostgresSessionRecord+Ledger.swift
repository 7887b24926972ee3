import EarshotModel
import PostgresClient

// What the ledger asks of the record: rows by their key, in bounded batches.
extension PostgresSessionRecord {
    /// Ids of sessions behind one in the order of ids, at most `limit`; `nil` begins.
    package func ledgerPage(after id: String?, limit: Int) async throws(SessionRecordError) -> [String] {
        let rows = try await perform { client in
            try await client.query(
                """
                SELECT id FROM sessions
                WHERE id > coalesce(\(id)::uuid, '00000000-0000-0000-0000-000000000000')
                ORDER BY id LIMIT \(limit)
                """)
        }
        return try decode(rows) { row throws(PostgresError) in try row.decode("id", as: String.self) }
    }

    /// The session that continues one, as the record knows it.
    package func successor(of id: String) async throws(SessionRecordError) -> String? {
        let rows = try await perform { client in
            try await client.query("SELECT id FROM sessions WHERE predecessor = \(id)::uuid ORDER BY id LIMIT 1")
        }
        return try decode(rows) { row throws(PostgresError) in try row.decode("id", as: String.self) }.first
    }

    /// Whose sessions are, of those the record knows.
    package func users(ofSessions ids: [String]) async throws(SessionRecordError) -> [String: String] {
        let rows = try await perform { client in
            try await client.query("SELECT id, uid FROM sessions WHERE id = ANY(\(ids)::uuid[])")
        }
        let pairs = try decode(rows) { row throws(PostgresError) in
            (try row.decode("id", as: String.self), try row.decode("uid", as: String.self))
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    /// What the record says of sessions; those it does not know have no row.
    package func ledgerFacts(of ids: [String]) async throws(SessionRecordError) -> [String: SessionFacts] {
        let (sessions, parts, segments) = try await perform { client in
            (
                try await client.query(
                    """
                    SELECT id, uid, predecessor, ended_at IS NOT NULL AS is_ended, end_reason, frames, lost_frames,
                        stored_next FROM sessions WHERE id = ANY(\(ids)::uuid[])
                    """),
                try await client.query(
                    """
                    SELECT session, lower(held) AS first, upper(held) AS next FROM audio_parts,
                        unnest(int8multirange(int8range(first_sequence, last_sequence, '[]')) - missing) AS held
                    WHERE session = ANY(\(ids)::uuid[])
                    """),
                try await client.query(
                    """
                    SELECT session, count(*) AS segments FROM segments WHERE session = ANY(\(ids)::uuid[])
                    GROUP BY session
                    """)
            )
        }
        var facts = Dictionary(uniqueKeysWithValues: Set(ids).map { ($0, SessionFacts(session: $0)) })
        do throws(PostgresError) {
            for row in sessions { facts[try row.decode("id", as: String.self)]?.row = try Self.ledgerRow(row) }
            var ranges: [String: [Range<UInt64>]] = [:]
            for row in parts {
                let first = UInt64(clamping: try row.decode("first", as: Int64.self))
                let next = UInt64(clamping: try row.decode("next", as: Int64.self))
                ranges[try row.decode("session"), default: []].append(first..<next)
            }
            for (id, found) in ranges { facts[id]?.parts = FrameRanges(found) }
            for row in segments {
                facts[try row.decode("session", as: String.self)]?.segments =
                    Int(try row.decode("segments", as: Int64.self))
            }
        } catch {
            throw SessionRecordError(error)
        }
        return facts
    }

    private static func ledgerRow(_ row: PostgresRow) throws(PostgresError) -> SessionFacts.Row {
        let frames: Int64? = try row.decode("frames")
        let lost: Int64? = try row.decode("lost_frames")
        let storedNext: Int64? = try row.decode("stored_next")
        return SessionFacts.Row(
            uid: try row.decode("uid"), predecessor: try row.decode("predecessor"),
            isEnded: try row.decode("is_ended"), endReason: try row.decode("end_reason"),
            frames: UInt64(clamping: frames ?? 0), lostFrames: UInt64(clamping: lost ?? 0),
            storedNext: storedNext.map { UInt64(clamping: $0) })
    }
}
