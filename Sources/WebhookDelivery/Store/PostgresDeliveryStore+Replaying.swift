package import EarshotModel
import PostgresClient

/// Replays: durable jobs that bring dead deliveries back, in steps of one transaction each.
///
/// A step takes up a bounded number of dead deliveries and moves the job's place behind them in one transaction, so
/// that a process may die at any point. Delivered ones are never touched; one that dies again stays dead, because the
/// job's place is behind it. The first step of a job of all endpoints makes a job of each, its parts, so that none of
/// them waits for another that takes nothing.
extension PostgresDeliveryStore {
    /// Starts a replay of everything that died since a time, of one endpoint or of all.
    ///
    /// - Parameters:
    ///   - since: Unix µs; deliveries created then or later, up to now.
    ///   - endpoint: Only this one's.
    /// - Returns: The job's id.
    /// - Throws: `.notFound` when there is no such endpoint.
    package func startReplay(since: Int64, endpoint: UniqueID?) async throws(WebhookError) -> UniqueID {
        let id = UniqueID.timeOrdered(at: WallClock.microseconds)
        if let endpoint {
            let known: [PostgresRow]
            do {
                known = try await client.query(
                    "SELECT 1 FROM webhook_endpoints WHERE id = \(endpoint.description)::uuid")
            } catch {
                throw WebhookError(error)
            }
            guard !known.isEmpty else {
                throw WebhookError(.notFound, "there is no endpoint \(endpoint); `earshot endpoint list` lists them")
            }
        }
        _ = try await execute(
            """
            INSERT INTO webhook_replays (id, endpoint, since, taken_at, taken_id)
            VALUES (\(id.description)::uuid, \(endpoint?.description)::uuid, \(microseconds: since),
                \(microseconds: since), '00000000-0000-0000-0000-000000000000')
            """)
        return id
    }

    /// Takes the next step of a replay that has room: of the one with the fewest deliveries in hand, so that none waits
    /// for another whose endpoint does not answer.
    ///
    /// - Returns: How many deliveries were taken up, none when it is through; `nil` when no replay has room.
    package func stepReplay() async throws(WebhookError) -> Int? {
        do {
            return try await client.withTransaction { connection in
                let jobs = try await connection.query(
                    """
                    SELECT r.id, r.endpoint IS NULL AS is_whole, \(limits.replayInHand) - h.count AS room
                    FROM webhook_replays r CROSS JOIN LATERAL (SELECT count(*) AS count FROM webhook_deliveries d
                        WHERE d.replay = r.id AND d.state = 'pending') AS h
                    WHERE r.finished_at IS NULL AND h.count < \(limits.replayInHand)
                    ORDER BY h.count, r.created_at LIMIT 1 FOR UPDATE OF r SKIP LOCKED
                    """)
                guard let job = jobs.first else { return nil }
                if try job.decode("is_whole") { return try await split(try job.decode("id"), on: connection) }
                return try await step(try job.decode("id"), room: try job.decode("room"), on: connection)
            }
        } catch {
            throw WebhookError(error)
        }
    }

    /// Makes a job for each endpoint that may get something; what died of a disabled one stays dead.
    private func split(_ job: String, on connection: PostgresConnection) async throws -> Int {
        try await connection.execute(
            """
            INSERT INTO webhook_replays (id, endpoint, since, until, taken_at, taken_id, part_of)
            SELECT gen_random_uuid(), e.id, r.since, r.until, r.taken_at, r.taken_id, r.id
            FROM webhook_replays r JOIN webhook_endpoints e ON e.state = 'enabled'
            WHERE r.id = \(job)::uuid AND EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.endpoint = e.id
                AND d.state = 'dead' AND d.created_at BETWEEN r.since AND r.until)
            """)
        try await connection.execute("UPDATE webhook_replays SET finished_at = now() WHERE id = \(job)::uuid")
        return 0
    }

    private func step(_ job: String, room: Int, on connection: PostgresConnection) async throws -> Int {
        let taken = try await connection.query(
            """
            WITH found AS (
                SELECT d.id, d.created_at FROM webhook_deliveries d
                    JOIN webhook_replays r ON r.id = \(job)::uuid
                WHERE d.state = 'dead' AND (d.created_at, d.id) > (r.taken_at, r.taken_id)
                    AND d.created_at >= r.since AND d.created_at <= r.until
                    AND d.endpoint = r.endpoint
                    AND (d.body IS NOT NULL OR d.source IS NOT NULL)
                    AND d.event_type <> \(WebhookEventType.endpointTest.rawValue)
                ORDER BY d.created_at, d.id LIMIT \(room) FOR UPDATE OF d
            ), brought AS (
                UPDATE webhook_deliveries d SET state = 'pending', failures = 0, due_at = now(), finished_at = NULL,
                    replay = \(job)::uuid
                FROM found WHERE d.id = found.id
            )
            SELECT id, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us FROM found
            ORDER BY created_at, id
            """)
        guard let last = taken.last else {
            try await connection.execute(
                "UPDATE webhook_replays SET finished_at = now() WHERE id = \(job)::uuid")
            return 0
        }
        try await connection.execute(
            """
            UPDATE webhook_replays SET taken = taken + \(taken.count),
                taken_id = \(try last.decode("id", as: String.self))::uuid,
                taken_at = \(microseconds: try last.decode("created_us", as: Int64.self))
            WHERE id = \(job)::uuid
            """)
        return taken.count
    }

    /// How far a replay is; `nil` when there is none of that id.
    package func progress(ofReplay id: UniqueID) async throws(WebhookError) -> ReplayProgress? {
        do {
            let rows = try await client.query(
                """
                WITH jobs AS (SELECT * FROM webhook_replays
                    WHERE id = \(id.description)::uuid OR part_of = \(id.description)::uuid)
                SELECT r.endpoint, r.since, r.until, j.taken, j.finished_at, d.*
                FROM webhook_replays r, (SELECT sum(taken)::bigint AS taken,
                        CASE WHEN bool_and(finished_at IS NOT NULL) THEN max(finished_at) END AS finished_at
                    FROM jobs) AS j,
                    (SELECT count(*) FILTER (WHERE state = 'delivered') AS delivered,
                        count(*) FILTER (WHERE state IN ('pending', 'waiting')) AS pending,
                        count(*) FILTER (WHERE state = 'dead') AS dead
                    FROM webhook_deliveries WHERE replay IN (SELECT id FROM jobs)) AS d
                WHERE r.id = \(id.description)::uuid
                """)
            guard let row = rows.first else { return nil }
            return ReplayProgress(
                id: id, endpoint: try row.decode("endpoint"), since: try row.decodeMicroseconds("since") ?? 0,
                until: try row.decodeMicroseconds("until") ?? 0, taken: try row.decode("taken"),
                delivered: try row.decode("delivered"), pending: try row.decode("pending"),
                dead: try row.decode("dead"), takenAllAt: try row.decodeMicroseconds("finished_at"))
        } catch {
            throw WebhookError(error)
        }
    }
}
