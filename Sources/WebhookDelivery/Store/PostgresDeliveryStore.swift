import EarshotModel
package import PostgresClient

/// Deliveries in Postgres: their order, their claims, their retries.
///
/// A lane is (endpoint, conversation). Its *holder* is the one delivery that keeps what is behind it waiting; all
/// else that is not finished is due at a time of its own. A claim moves that time to the claim's end: a delivery whose
/// worker died becomes due again, and what the dead one writes later carries another claim and changes nothing.
package struct PostgresDeliveryStore: Sendable {
    let client: PostgresClient
    let limits: DeliveryLimits

    /// A store in a migrated database.
    package init(client: PostgresClient, limits: DeliveryLimits = DeliveryLimits()) {
        self.client = client
        self.limits = limits
    }

    // MARK: Enqueueing

    private struct Lane: Hashable {
        let endpoint: String
        let conversation: String
    }

    private struct LaneState {
        var nextSequence: Int64
        var holder: String?
    }

    /// Writes deliveries in their order; one that is there already is left as it is.
    ///
    /// - Returns: How many were new.
    package func enqueue(_ deliveries: [NewDelivery]) async throws(WebhookError) -> Int {
        guard !deliveries.isEmpty else { return 0 }
        do {
            return try await client.withTransaction { connection in
                try await Self.enqueue(deliveries, on: connection)
            }
        } catch {
            throw WebhookError(error)
        }
    }

    static func enqueue(_ deliveries: [NewDelivery], on connection: PostgresConnection) async throws -> Int {
        var lanes = try await lock(lanesOf: deliveries, on: connection)
        let known = Set(
            try await connection.query(
                "SELECT id FROM webhook_deliveries WHERE id = ANY (\(deliveries.map(\.id.description))::uuid[])"
            ).map { try $0.decode("id", as: String.self) })
        var written = known
        var rows: [(delivery: NewDelivery, sequence: Int64, state: String)] = []
        for delivery in deliveries {
            let lane = Lane(endpoint: delivery.endpoint.description, conversation: delivery.conversation)
            // A lane that could not be made belongs to an endpoint that is gone.
            guard var state = lanes[lane], written.insert(delivery.id.description).inserted else { continue }
            let isFirst = state.holder == nil && delivery.deadReason == nil
            rows.append(
                (delivery, state.nextSequence, delivery.deadReason != nil ? "dead" : isFirst ? "pending" : "waiting"))
            state.nextSequence += 1
            if isFirst { state.holder = delivery.id.description }
            lanes[lane] = state
        }
        guard !rows.isEmpty else { return 0 }
        try await insert(rows, on: connection)
        let changed = lanes.sorted { ($0.key.endpoint, $0.key.conversation) < ($1.key.endpoint, $1.key.conversation) }
        try await connection.execute(
            """
            UPDATE webhook_lanes l SET next_sequence = t.next, holder = t.holder, used_at = now()
            FROM unnest(\(changed.map(\.key.endpoint))::uuid[], \(changed.map(\.key.conversation)),
                \(changed.map(\.value.nextSequence)), \(changed.map(\.value.holder))::uuid[])
                AS t (endpoint, conversation, next, holder)
            WHERE l.endpoint = t.endpoint AND l.conversation = t.conversation
            """)
        return rows.count
    }

    private static func lock(
        lanesOf deliveries: [NewDelivery], on connection: PostgresConnection
    ) async throws -> [Lane: LaneState] {
        let wanted = Set(
            deliveries.map { Lane(endpoint: $0.endpoint.description, conversation: $0.conversation) }
        ).sorted { ($0.endpoint, $0.conversation) < ($1.endpoint, $1.conversation) }
        let endpoints = wanted.map(\.endpoint)
        let conversations = wanted.map(\.conversation)
        try await connection.execute(
            """
            INSERT INTO webhook_lanes (endpoint, conversation, next_sequence)
            SELECT t.endpoint, t.conversation, 1
            FROM unnest(\(endpoints)::uuid[], \(conversations)) AS t (endpoint, conversation)
                JOIN webhook_endpoints e ON e.id = t.endpoint
            ORDER BY 1, 2 ON CONFLICT DO NOTHING
            """)
        let rows = try await connection.query(
            """
            SELECT l.endpoint, l.conversation, l.next_sequence, l.holder
            FROM webhook_lanes l
                JOIN unnest(\(endpoints)::uuid[], \(conversations)) AS t (endpoint, conversation)
                    ON l.endpoint = t.endpoint AND l.conversation = t.conversation
            ORDER BY l.endpoint, l.conversation FOR UPDATE OF l
            """)
        var lanes: [Lane: LaneState] = [:]
        for row in rows {
            lanes[Lane(endpoint: try row.decode("endpoint"), conversation: try row.decode("conversation"))] = LaneState(
                nextSequence: try row.decode("next_sequence"), holder: try row.decode("holder"))
        }
        return lanes
    }

    private static func insert(
        _ rows: [(delivery: NewDelivery, sequence: Int64, state: String)], on connection: PostgresConnection
    ) async throws {
        let all = rows.map(\.delivery)
        try await connection.execute(
            """
            INSERT INTO webhook_deliveries (id, endpoint, event, event_type, uid, conversation, sequence, state, body,
                source, error, finished_at)
            SELECT id, endpoint, event, type, uid, conversation, sequence, state, body, source, error,
                CASE WHEN state = 'dead' THEN now() END
            FROM unnest(\(all.map(\.id.description))::uuid[], \(all.map(\.endpoint.description))::uuid[],
                \(all.map(\.event.description))::uuid[], \(all.map(\.type.rawValue)), \(all.map(\.uid)),
                \(all.map(\.conversation)), \(rows.map(\.sequence)), \(rows.map(\.state)), \(all.map(\.body)),
                \(all.map(\.source)), \(all.map(\.deadReason)))
                AS t (id, endpoint, event, type, uid, conversation, sequence, state, body, source, error)
            """)
    }

    // MARK: While it is claimed

    /// Fixes the body of a delivery that waited for the record; later attempts send the same.
    ///
    /// - Returns: Whether the claim still held.
    package func setBody(_ body: String, of delivery: ClaimedDelivery) async throws(WebhookError) -> Bool {
        try await execute(
            """
            UPDATE webhook_deliveries SET body = \(body), source = NULL
            WHERE id = \(delivery.id.description)::uuid AND claim = \(delivery.claim.description)::uuid
            """) == 1
    }

    /// Gives claims back without an attempt; the deliveries are due again after a pause.
    package func giveBack(_ deliveries: [ClaimedDelivery], after pause: Duration) async throws(WebhookError) {
        _ = try await execute(
            """
            UPDATE webhook_deliveries d SET claim = NULL,
                due_at = now() + \(pause.microseconds) * interval '1 microsecond'
            FROM unnest(\(deliveries.map(\.id.description))::uuid[], \(deliveries.map(\.claim.description))::uuid[])
                AS t (id, claim)
            WHERE d.id = t.id AND d.claim = t.claim
            """)
    }

    func execute(_ statement: SQLStatement) async throws(WebhookError) -> Int {
        do {
            return try await client.execute(statement)
        } catch {
            throw WebhookError(error)
        }
    }
}
