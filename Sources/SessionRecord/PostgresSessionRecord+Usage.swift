import EarshotModel
import PostgresClient

extension PostgresSessionRecord {
    package func usage(of user: String) async throws(SessionRecordError) -> [DailyUsage] {
        let rows = try await perform { client in
            try await client.query(
                """
                SELECT day::text AS day, received_seconds, transcribed_seconds, stored_seconds FROM usage_by_day
                WHERE uid = \(user) ORDER BY usage_by_day.day DESC
                """)
        }
        return try decode(rows) { row throws(PostgresError) in
            var usage = DailyUsage(day: try row.decode("day"))
            usage.receivedSeconds = try row.decode("received_seconds")
            usage.transcribedSeconds = try row.decode("transcribed_seconds")
            usage.storedSeconds = try row.decode("stored_seconds")
            return usage
        }
    }
}
