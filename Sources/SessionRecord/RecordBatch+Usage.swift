import EarshotModel
import PostgresClient

extension RecordBatch {
    /// Absolute totals of a session and day; an older total never overwrites a newer one (protocol.md M18).
    var usageStatement: SQLStatement {
        let rows = usage.sorted { $0.key < $1.key }.map(\.value)
        return """
            INSERT INTO session_usage (session, day, uid, received_seconds, transcribed_seconds, revision)
            SELECT * FROM unnest(\(rows.map(\.event.session))::uuid[], \(rows.map(\.total.day))::date[],
                \(rows.map(\.event.uid)), \(rows.map(\.total.receivedSeconds)),
                \(rows.map(\.total.transcribedSeconds)), \(rows.map { Int64(clamping: $0.event.ordinal) }))
            ON CONFLICT (session, day) DO UPDATE SET received_seconds = excluded.received_seconds,
                transcribed_seconds = excluded.transcribed_seconds, revision = excluded.revision
            WHERE session_usage.revision < excluded.revision
            """
    }
}
