package import EarshotModel
import PostgresClient

/// What attempts came to: written down before they are forgotten, in one transaction a batch.
extension PostgresDeliveryStore {
    /// What a batch of records did.
    package struct Recorded: Sendable {
        /// Deliveries whose record counted; the others' claims had run out, somebody else has them.
        package var accepted: Set<UniqueID> = []
        /// Endpoints that were disabled by it.
        package var disabled: [UniqueID: DisabledEndpoint] = [:]
    }

    /// Records attempts; those whose claim no longer holds change nothing.
    package func record(_ attempts: [AttemptRecord]) async throws(WebhookError) -> Recorded {
        guard !attempts.isEmpty else { return Recorded() }
        do {
            return try await client.withTransaction { connection in
                let numbers = try await update(attempts, on: connection)
                let accepted = attempts.filter { numbers[$0.delivery] != nil }
                var recorded = Recorded(accepted: Set(accepted.map(\.delivery)))
                guard !accepted.isEmpty else { return recorded }
                let sent = accepted.filter(\.wasSent)
                let logs = sent.map { ($0.delivery, (numbers[$0.delivery] ?? 0, $0.log)) }
                try await log(Dictionary(logs) { first, _ in first }, on: connection)
                try await releaseLanes(of: accepted.filter(\.releasesLane), on: connection)
                let disabled = try await recordHealth(of: EndpointNews(sent), on: connection)
                recorded.disabled = Dictionary(disabled.map { ($0.id, $0) }) { first, _ in first }
                return recorded
            }
        } catch {
            throw WebhookError(error)
        }
    }

    /// Writes a test down that was sent from elsewhere, with its one attempt; it counts for nothing else.
    package func recordTest(_ test: ClaimedDelivery, _ log: AttemptLog, isDelivered: Bool) async throws(WebhookError) {
        do {
            try await client.withTransaction { connection in
                try await connection.execute(
                    """
                    INSERT INTO webhook_deliveries (id, endpoint, event, event_type, uid, conversation, sequence, body,
                        state, attempts, failures, status, error, finished_at)
                    VALUES (\(test.id.description)::uuid, \(test.endpoint.id.description)::uuid,
                        \(test.event.description)::uuid, \(test.type.rawValue), \(test.uid), \(test.conversation),
                        \(test.sequence), \(test.body), \(isDelivered ? "delivered" : "dead"), 1,
                        \(isDelivered ? 0 : 1), \(log.status), \(log.error), now())
                    """)
                try await self.log([test.id: (1, log)], on: connection)
            }
        } catch {
            throw WebhookError(error)
        }
    }

    /// Returns the number of attempts of each accepted delivery.
    private func update(
        _ attempts: [AttemptRecord], on connection: PostgresConnection
    ) async throws -> [UniqueID: Int] {
        let attempts = attempts.sorted { $0.delivery < $1.delivery }
        let rows = try await connection.query(
            """
            UPDATE webhook_deliveries d SET attempts = d.attempts + t.sent, failures = t.failures, state = t.state,
                due_at = now() + t.pause * interval '1 microsecond', claim = NULL, status = t.status, error = t.error,
                finished_at = CASE WHEN t.state <> 'pending' THEN now() END
            FROM unnest(\(attempts.map(\.delivery.description))::uuid[], \(attempts.map(\.claim.description))::uuid[],
                \(attempts.map { Int64($0.failures) }), \(attempts.map(Self.state)), \(attempts.map(Self.pause)),
                \(attempts.map { $0.log.status.map { Int64($0) } }), \(attempts.map(\.log.error)),
                \(attempts.map { Int64($0.wasSent ? 1 : 0) }))
                AS t (id, claim, failures, state, pause, status, error, sent)
            WHERE d.id = t.id AND d.claim = t.claim AND d.state = 'pending'
            RETURNING d.id, d.attempts
            """)
        var numbers: [UniqueID: Int] = [:]
        for row in rows {
            if let id = UniqueID(try row.decode("id", as: String.self)) { numbers[id] = try row.decode("attempts") }
        }
        return numbers
    }

    private static func state(_ attempt: AttemptRecord) -> String {
        switch attempt.result {
        case .delivered: "delivered"
        case .retry: "pending"
        case .dead: "dead"
        }
    }

    private static func pause(_ attempt: AttemptRecord) -> Int64 {
        if case .retry(let pause, _) = attempt.result { pause.microseconds } else { 0 }
    }

    private func log(
        _ attempts: [UniqueID: (number: Int, log: AttemptLog)], on connection: PostgresConnection
    ) async throws {
        guard !attempts.isEmpty else { return }
        let ids = attempts.keys.sorted()
        let logs = ids.compactMap { attempts[$0]?.log }
        try await connection.execute(
            """
            INSERT INTO webhook_attempts (delivery, number, at, millis, status, error, remote, response)
            SELECT id, number, timestamptz 'epoch' + at * interval '1 microsecond', millis, status, error, remote,
                response
            FROM unnest(\(ids.map(\.description))::uuid[], \(ids.map { Int64(attempts[$0]?.number ?? 0) }),
                \(logs.map(\.at)), \(logs.map(\.milliseconds)), \(logs.map { $0.status.map { Int64($0) } }),
                \(logs.map(\.error)), \(logs.map(\.remote)), \(logs.map(\.response)))
                AS t (id, number, at, millis, status, error, remote, response)
            """)
    }

    /// Lets the next delivery of each lane go, if the lane waited for one of these.
    private func releaseLanes(of attempts: [AttemptRecord], on connection: PostgresConnection) async throws {
        guard !attempts.isEmpty else { return }
        let endpoints = attempts.map(\.endpoint.description)
        let conversations = attempts.map(\.conversation)
        let ids = attempts.map(\.delivery.description)
        // First the lock, then the look: what was enqueued under the lane's lock must be seen.
        try await connection.execute(
            """
            SELECT 1 FROM webhook_lanes l
                JOIN unnest(\(endpoints)::uuid[], \(conversations), \(ids)::uuid[]) AS t (endpoint, conversation, id)
                    ON l.endpoint = t.endpoint AND l.conversation = t.conversation AND l.holder = t.id
            ORDER BY l.endpoint, l.conversation FOR UPDATE OF l
            """)
        try await connection.execute(
            """
            WITH freed AS (
                SELECT l.endpoint, l.conversation, (SELECT d.id FROM webhook_deliveries d
                    WHERE d.endpoint = l.endpoint AND d.conversation = l.conversation AND d.state = 'waiting'
                    ORDER BY d.sequence LIMIT 1) AS next
                FROM webhook_lanes l
                    JOIN unnest(\(endpoints)::uuid[], \(conversations), \(ids)::uuid[])
                        AS t (endpoint, conversation, id)
                        ON l.endpoint = t.endpoint AND l.conversation = t.conversation AND l.holder = t.id
            ), promoted AS (
                UPDATE webhook_deliveries d SET state = 'pending', due_at = now() FROM freed WHERE d.id = freed.next
            )
            UPDATE webhook_lanes l SET holder = freed.next FROM freed
            WHERE l.endpoint = freed.endpoint AND l.conversation = freed.conversation
            """)
    }
}
