import EarshotModel
import PostgresClient

// The ledger's metrics: one aggregate over the sessions that ended lately, found by the index of their ends.
extension PostgresSessionRecord {
    /// Adds up the sessions that ended since a moment, the newest of them when there are more than `limit`.
    package func ledgerTotals(
        endedSince time: Int64, limit: Int
    ) async throws(SessionRecordError) -> LedgerTotals {
        let rows = try await perform { client in
            try await client.query(
                """
                WITH recent AS (
                    SELECT id, predecessor, coalesce(frames, 0) AS frames, coalesce(lost_frames, 0) AS lost, stored_next
                    FROM sessions WHERE ended_at >= \(microseconds: time) ORDER BY ended_at DESC LIMIT \(limit)
                ), ranges AS (
                    SELECT session, first_sequence, lower(held) AS low, upper(held) - 1 AS high,
                        max(upper(held) - 1) OVER (PARTITION BY session ORDER BY held
                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS passed
                    FROM audio_parts,
                        unnest(int8multirange(int8range(first_sequence, last_sequence, '[]')) - missing) AS held
                    WHERE session IN (SELECT id FROM recent)
                ), parts AS (
                    SELECT session, min(first_sequence) AS low, max(high) + 1 AS next,
                        sum(greatest(0, high - greatest(low - 1, coalesce(passed, -1)))) AS stored
                    FROM ranges GROUP BY session
                ), placed AS (
                    SELECT frames, lost, predecessor, coalesce(stored, 0) AS stored, low,
                        greatest(stored_next, next) AS next
                    FROM recent LEFT JOIN parts ON parts.session = recent.id
                ), accounts AS (
                    -- What lies behind the last part is on its way; a session that continues another began at its
                    -- first part.
                    SELECT frames, lost, stored, next, greatest(0, frames - stored) AS missing,
                        greatest(0, frames - next
                            + CASE WHEN predecessor IS NULL THEN 0 ELSE coalesce(low, next - frames) END) AS tail
                    FROM placed
                )
                SELECT count(*) AS sessions, coalesce(sum(stored), 0)::bigint AS stored,
                    coalesce(sum(frames) FILTER (WHERE next IS NULL), 0)::bigint AS not_stored,
                    coalesce(sum(least(missing, tail)) FILTER (WHERE next IS NOT NULL), 0)::bigint AS in_flight,
                    coalesce(sum(lost), 0)::bigint AS not_resent,
                    coalesce(sum(greatest(0, missing - tail)) FILTER (WHERE next IS NOT NULL), 0)::bigint AS unaccounted
                FROM accounts
                """)
        }
        return try decode(rows) { row throws(PostgresError) in
            LedgerTotals(
                sessions: try Self.count("sessions", row), stored: try Self.count("stored", row),
                notStored: try Self.count("not_stored", row), inFlight: try Self.count("in_flight", row),
                notResent: try Self.count("not_resent", row), unaccounted: try Self.count("unaccounted", row))
        }.first ?? LedgerTotals()
    }

    private static func count(_ column: String, _ row: PostgresRow) throws(PostgresError) -> UInt64 {
        UInt64(clamping: try row.decode(column, as: Int64.self))
    }
}
