package import EarshotModel
import PostgresClient

/// What attempts came to: written down before they are forgotten, in one transaction a batch.
extension PostgresDeliveryStore {
    /// What a batch of records did.
    package struct Recorded: Sendable {
        /// Deliveries whose record counted; the others' claims had run out, somebody else has them.
        package var accepted: Set<UniqueID> = []
        /// Endpoints that were disabled by it, with the reason.
        package var disabled: [UniqueID: String] = [:]
    }

    /// Why an endpoint is disabled whose receiver answers 410.
    package static let goneReason = "its receiver answered 410 Gone"

    /// Disables an endpoint that another process found gone, and tells its owner; again changes nothing.
    package func disable(_ endpoint: UniqueID, reason: String) async throws(WebhookError) {
        do {
            try await client.withTransaction { connection in
                let changed = try await connection.execute(
                    """
                    UPDATE webhook_endpoints SET state = 'disabled', changed_at = now(), reason = \(reason)
                    WHERE id = \(endpoint.description)::uuid AND state = 'enabled'
                    """)
                if changed > 0 { try await tellOwner(of: endpoint, reason: reason, on: connection) }
            }
        } catch {
            throw WebhookError(error)
        }
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
                try await log(accepted, numbers, on: connection)
                try await releaseLanes(of: accepted.filter(\.releasesLane), on: connection)
                recorded.disabled = try await recordHealth(of: accepted, on: connection)
                return recorded
            }
        } catch {
            throw WebhookError(error)
        }
    }

    /// Returns the number of each accepted attempt.
    private func update(
        _ attempts: [AttemptRecord], on connection: PostgresConnection
    ) async throws -> [UniqueID: Int] {
        let attempts = attempts.sorted { $0.delivery < $1.delivery }
        let rows = try await connection.query(
            """
            UPDATE webhook_deliveries d SET attempts = d.attempts + 1, failures = t.failures, state = t.state,
                due_at = now() + t.pause * interval '1 microsecond', claim = NULL, status = t.status, error = t.error,
                finished_at = CASE WHEN t.state <> 'pending' THEN now() END
            FROM unnest(\(attempts.map(\.delivery.description))::uuid[], \(attempts.map(\.claim.description))::uuid[],
                \(attempts.map { Int64($0.failures) }), \(attempts.map(Self.state)), \(attempts.map(Self.pause)),
                \(attempts.map { $0.log.status.map { Int64($0) } }), \(attempts.map(\.log.error)))
                AS t (id, claim, failures, state, pause, status, error)
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
        _ attempts: [AttemptRecord], _ numbers: [UniqueID: Int], on connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            """
            INSERT INTO webhook_attempts (delivery, number, at, millis, status, error, remote, response)
            SELECT id, number, timestamptz 'epoch' + at * interval '1 microsecond', millis, status, error, remote,
                response
            FROM unnest(\(attempts.map(\.delivery.description))::uuid[],
                \(attempts.map { Int64(numbers[$0.delivery] ?? 0) }), \(attempts.map(\.log.at)),
                \(attempts.map(\.log.milliseconds)), \(attempts.map { $0.log.status.map { Int64($0) } }),
                \(attempts.map(\.log.error)), \(attempts.map(\.log.remote)), \(attempts.map(\.log.response)))
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

    /// Keeps the time of nothing but failures, pauses endpoints that asked for it, and disables those that are gone.
    private func recordHealth(
        of attempts: [AttemptRecord], on connection: PostgresConnection
    ) async throws -> [UniqueID: String] {
        let succeeded = Set(attempts.filter { $0.result == .delivered }.map(\.endpoint.description)).sorted()
        let failed = Set(attempts.filter { $0.result != .delivered }.map(\.endpoint.description)).sorted()
        if !succeeded.isEmpty {
            try await connection.execute(
                """
                UPDATE webhook_health SET failing_since = NULL
                WHERE endpoint = ANY (\(succeeded)::uuid[]) AND failing_since IS NOT NULL
                """)
        }
        guard !failed.isEmpty else { return [:] }
        try await connection.execute(
            "SELECT 1 FROM webhook_health WHERE endpoint = ANY (\(failed)::uuid[]) ORDER BY endpoint FOR UPDATE")
        let paused = attempts.filter { $0.pause != nil }
        try await connection.execute(
            """
            UPDATE webhook_health h SET failing_since = coalesce(failing_since, now()), paused_until = greatest(
                paused_until, now() + (SELECT max(t.pause) FROM unnest(\(paused.map(\.endpoint.description))::uuid[],
                    \(paused.map { $0.pause?.microseconds ?? 0 })) AS t (endpoint, pause)
                    WHERE t.endpoint = h.endpoint) * interval '1 microsecond')
            WHERE endpoint = ANY (\(failed)::uuid[])
            """)
        let disabled = try await disable(
            gone: attempts.filter { $0.result == .dead(disables: true) }.map(\.endpoint.description), failed: failed,
            on: connection)
        for (id, reason) in disabled { try await tellOwner(of: id, reason: reason, on: connection) }
        return disabled
    }

    private func disable(
        gone: [String], failed: [String], on connection: PostgresConnection
    ) async throws -> [UniqueID: String] {
        let overdue = try await connection.query(
            """
            SELECT endpoint FROM webhook_health WHERE endpoint = ANY (\(failed)::uuid[])
                AND failing_since <= now() - \(limits.failingMaximum.microseconds) * interval '1 microsecond'
            """
        ).map { try $0.decode("endpoint", as: String.self) }
        guard !gone.isEmpty || !overdue.isEmpty else { return [:] }
        let days = limits.failingMaximum / .seconds(86_400)
        let rows = try await connection.query(
            """
            UPDATE webhook_endpoints SET state = 'disabled', changed_at = now(),
                reason = CASE WHEN id = ANY (\(gone)::uuid[]) THEN \(Self.goneReason)::text
                    ELSE 'nothing but failures for ' || \(days)::text || ' days' END
            WHERE id = ANY (\(gone + overdue)::uuid[]) AND state = 'enabled'
            RETURNING id, reason
            """)
        var disabled: [UniqueID: String] = [:]
        for row in rows {
            if let id = UniqueID(try row.decode("id", as: String.self)) { disabled[id] = try row.decode("reason") }
        }
        return disabled
    }

    /// Writes `endpoint.disabled` for the owner's other endpoints that want it.
    private func tellOwner(of id: UniqueID, reason: String, on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            SELECT \(unsafeSQL: EndpointRow.columns) FROM webhook_endpoints e
                JOIN webhook_endpoints o ON o.owner_kind = e.owner_kind AND o.owner = e.owner
            WHERE o.id = \(id.description)::uuid ORDER BY e.created_at, e.id
            """)
        let endpoints = try rows.map(EndpointRow.endpoint)
        guard let gone = endpoints.first(where: { $0.id == id }) else { return }
        let now = WallClock.microseconds
        let event = UniqueID.timeOrdered(at: now)
        let others = endpoints.filter { $0.state == .enabled && $0.events.contains(.endpointDisabled) }
        let deliveries = others.map { other in
            var delivery = NewDelivery(
                event: event, endpoint: other.id, type: .endpointDisabled, uid: other.owner.name, conversation: "")
            delivery.body = WebhookBody.endpointDisabled(gone, reason: reason, at: now)
            return delivery
        }
        guard !deliveries.isEmpty else { return }
        _ = try await Self.enqueue(deliveries, on: connection)
    }
}
