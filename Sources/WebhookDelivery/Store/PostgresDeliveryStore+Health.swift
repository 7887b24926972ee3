package import EarshotModel
import PostgresClient

/// What requests say about their endpoints: how long one fails, when it rests, and when it is disabled.
extension PostgresDeliveryStore {
    /// Why an endpoint is disabled whose receiver answers 410.
    package static let goneReason = "its receiver answered 410 Gone"

    /// Disables an endpoint that another process found gone, and tells its owner's other ones.
    ///
    /// - Returns: What was disabled; `nil` when it was before, or is unknown.
    package func disable(_ endpoint: UniqueID, reason: String) async throws(WebhookError) -> DisabledEndpoint? {
        do {
            return try await client.withTransaction { connection in
                let rows = try await connection.query(
                    """
                    UPDATE webhook_endpoints SET state = 'disabled', changed_at = now(), reason = \(reason)
                    WHERE id = \(endpoint.description)::uuid AND state = 'enabled'
                    RETURNING id, owner_kind, owner, url, reason
                    """)
                guard let disabled = try rows.first.flatMap(Self.disabled) else { return nil }
                try await tellOwner(of: disabled, on: connection)
                return disabled
            }
        } catch {
            throw WebhookError(error)
        }
    }

    /// Keeps the time of nothing but failures, pauses endpoints that asked for it, and disables those that are gone.
    func recordHealth(
        of news: EndpointNews, on connection: PostgresConnection
    ) async throws -> [DisabledEndpoint] {
        let succeeded = news.succeeded.sorted()
        let failed = news.failed.sorted()
        if !succeeded.isEmpty {
            try await connection.execute(
                """
                UPDATE webhook_health SET failing_since = NULL
                WHERE endpoint = ANY (\(succeeded)::uuid[]) AND failing_since IS NOT NULL
                """)
        }
        guard !failed.isEmpty else { return [] }
        try await connection.execute(
            "SELECT 1 FROM webhook_health WHERE endpoint = ANY (\(failed)::uuid[]) ORDER BY endpoint FOR UPDATE")
        let pauses = news.pauses.sorted { $0.key < $1.key }
        try await connection.execute(
            """
            UPDATE webhook_health h SET failing_since = coalesce(failing_since, now()), paused_until = greatest(
                paused_until, now() + (SELECT max(t.pause) FROM unnest(\(pauses.map(\.key))::uuid[],
                    \(pauses.map(\.value))) AS t (endpoint, pause)
                    WHERE t.endpoint = h.endpoint) * interval '1 microsecond')
            WHERE endpoint = ANY (\(failed)::uuid[])
            """)
        let disabled = try await disable(gone: news.gone.sorted(), failed: failed, on: connection)
        for endpoint in disabled { try await tellOwner(of: endpoint, on: connection) }
        return disabled
    }

    private func disable(
        gone: [String], failed: [String], on connection: PostgresConnection
    ) async throws -> [DisabledEndpoint] {
        let overdue = try await connection.query(
            """
            SELECT endpoint FROM webhook_health WHERE endpoint = ANY (\(failed)::uuid[])
                AND failing_since <= now() - \(limits.failingMaximum.microseconds) * interval '1 microsecond'
            """
        ).map { try $0.decode("endpoint", as: String.self) }
        guard !gone.isEmpty || !overdue.isEmpty else { return [] }
        let days = limits.failingMaximum / .seconds(86_400)
        let rows = try await connection.query(
            """
            UPDATE webhook_endpoints SET state = 'disabled', changed_at = now(),
                reason = CASE WHEN id = ANY (\(gone)::uuid[]) THEN \(Self.goneReason)::text
                    ELSE 'nothing but failures for ' || \(days)::text || ' days' END
            WHERE id = ANY (\(gone + overdue)::uuid[]) AND state = 'enabled'
            RETURNING id, owner_kind, owner, url, reason
            """)
        return try rows.compactMap(Self.disabled)
    }

    private static func disabled(_ row: PostgresRow) throws -> DisabledEndpoint? {
        guard let id = UniqueID(try row.decode("id", as: String.self)) else { return nil }
        let owner: String = try row.decode("owner")
        return DisabledEndpoint(
            id: id, owner: EndpointOwner(kind: try row.decode("owner_kind"), name: owner),
            url: URLQuery.withoutSecrets(try row.decode("url")), reason: try row.decode("reason"))
    }

    /// Writes `endpoint.disabled` for the owner's other endpoints that want it.
    private func tellOwner(of disabled: DisabledEndpoint, on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            SELECT \(unsafeSQL: EndpointRow.columns) FROM webhook_endpoints e
                JOIN webhook_endpoints o ON o.owner_kind = e.owner_kind AND o.owner = e.owner
            WHERE o.id = \(disabled.id.description)::uuid ORDER BY e.created_at, e.id
            """)
        // What cannot be read gets nothing anyway, and must not keep this one enabled.
        let endpoints = rows.compactMap { try? EndpointRow.endpoint($0) }
        let now = WallClock.microseconds
        let event = UniqueID.timeOrdered(at: now)
        let others = endpoints.filter { $0.state == .enabled && $0.events.contains(.endpointDisabled) }
        let deliveries = others.map { other in
            var delivery = NewDelivery(
                event: event, endpoint: other.id, type: .endpointDisabled, uid: other.owner.name, conversation: "")
            delivery.body = WebhookBody.endpointDisabled(disabled, at: now)
            return delivery
        }
        guard !deliveries.isEmpty else { return }
        _ = try await Self.enqueue(deliveries, on: connection)
    }
}
