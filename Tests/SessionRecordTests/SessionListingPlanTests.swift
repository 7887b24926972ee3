import Foundation
import PostgresClient
import TestSupport
import Testing

@testable import SessionRecord

/// How Postgres answers a listing when there are many sessions.
@Suite struct SessionListingPlanTests {
    @Test("A page is read from an index in its order, whatever is asked for, and is not sorted")
    func plan() async throws {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Migrations").path
        try await PostgresServerFixture.withDatabase { database in
            _ = try await MigrationRunner(client: database.client, directory: directory, logger: .silent).run()
            try await database.client.execute(
                """
                INSERT INTO sessions (id, uid, conversation, started_at, ended_at)
                SELECT gen_random_uuid(), 'user-' || n % 10, 'c', timestamptz '2026-01-01' + n * interval '1 second',
                    CASE WHEN n % 101 = 0 THEN NULL ELSE now() END
                FROM generate_series(1, 20000) n
                """)
            try await database.client.execute("ANALYZE sessions")
            let record = PostgresSessionRecord(client: database.client)
            let middle = try #require(
                try await record.sessions(activeOnly: false, user: nil, limit: 10_000).last.map(SessionPlace.init))
            for user in [nil, "user-3"] {
                for place in [nil, middle] {
                    for activeOnly in [false, true] {
                        let plan = try await explain(
                            PostgresSessionRecord.listing(
                                activeOnly: activeOnly, user: user, before: place, limit: 50),
                            user: user, place: place, in: database.client)
                        #expect(!plan.contains("Seq Scan"), "\(plan)")
                        // The live sessions of one user are a handful: Postgres may find and sort them as it likes.
                        guard !activeOnly || user == nil else { continue }
                        let index =
                            activeOnly ? "sessions_active" : user == nil ? "sessions_by_start" : "sessions_by_user"
                        #expect(plan.contains("Index Scan using \(index)"), "\(plan)")
                        #expect(!plan.contains("Sort"), "\(plan)")
                    }
                }
            }
        }
    }

    /// Puts the values where their places are, because EXPLAIN takes no binds.
    private func explain(
        _ statement: SQLStatement, user: String?, place: SessionPlace?, in client: PostgresClient
    ) async throws -> String {
        let start = place?.startedAt.map { "\($0)" }
        let values = [user.map { "'\($0)'" }, start, start, place.map { "'\($0.id)'" }, "50"].compactMap(\.self)
        var sql = statement.sql
        for (index, value) in values.enumerated() { sql = sql.replacingOccurrences(of: "$\(index + 1)", with: value) }
        #expect(!sql.contains("$"))
        return try await client.query(SQLStatement(unsafeSQL: "EXPLAIN " + sql))
            .map { try $0.decode("QUERY PLAN", as: String.self) }.joined(separator: "\n")
    }
}
