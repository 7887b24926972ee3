package import EarshotModel
import PostgresClient

/// What an operator asks and does.
extension PostgresDeliveryStore {
    /// Which deliveries are listed.
    package struct Filter: Sendable {
        package var endpoint: UniqueID?
        package var state: ListedDelivery.State?
        package var uid: String?
        /// Unix µs; only those created then or later.
        package var since: Int64?

        /// Everything, unless said otherwise.
        package init(
            endpoint: UniqueID? = nil, state: ListedDelivery.State? = nil, uid: String? = nil, since: Int64? = nil
        ) {
            self.endpoint = endpoint
            self.state = state
            self.uid = uid
            self.since = since
        }
    }

    private static let columns = """
        d.id, d.endpoint, d.event, d.event_type, d.uid, d.conversation, d.sequence, d.state, d.attempts, d.due_at,
        d.status, d.error, d.created_at, d.finished_at, octet_length(d.body) AS body_bytes
        """

    /// Deliveries, newest first.
    package func list(_ filter: Filter, limit: Int) async throws(WebhookError) -> [ListedDelivery] {
        do {
            return try await client.query(
                """
                SELECT \(unsafeSQL: Self.columns) FROM webhook_deliveries d
                WHERE (\(filter.endpoint?.description)::uuid IS NULL
                    OR endpoint = \(filter.endpoint?.description)::uuid)
                    AND (\(filter.state?.rawValue)::text IS NULL OR state = \(filter.state?.rawValue))
                    AND (\(filter.uid)::text IS NULL OR uid = \(filter.uid))
                    AND (\(filter.since)::bigint IS NULL OR created_at >= \(microseconds: filter.since))
                ORDER BY d.created_at DESC, d.sequence DESC, d.id LIMIT \(limit)
                """
            ).map(Self.listed)
        } catch {
            throw WebhookError(error)
        }
    }

    /// One delivery with its attempts, oldest first, and its body.
    package func show(
        _ id: UniqueID
    ) async throws(WebhookError) -> (delivery: ListedDelivery, attempts: [AttemptLog], body: String?)? {
        do {
            let rows = try await client.query(
                """
                SELECT \(unsafeSQL: Self.columns), d.body FROM webhook_deliveries d
                WHERE d.id = \(id.description)::uuid
                """)
            guard let row = rows.first else { return nil }
            let attempts = try await client.query(
                """
                SELECT at, millis, status, error, remote, response FROM webhook_attempts
                WHERE delivery = \(id.description)::uuid ORDER BY number
                """
            ).map { row in
                AttemptLog(
                    at: try row.decodeMicroseconds("at") ?? 0, milliseconds: try row.decode("millis"),
                    status: try row.decode("status"), error: try row.decode("error"),
                    remote: try row.decode("remote"), response: try row.decode("response"))
            }
            return (try Self.listed(row), attempts, try row.decode("body"))
        } catch {
            throw WebhookError(error)
        }
    }

    private static func listed(_ row: PostgresRow) throws -> ListedDelivery {
        guard let id = UniqueID(try row.decode("id", as: String.self)),
            let state = ListedDelivery.State(rawValue: try row.decode("state"))
        else { throw WebhookError(.refused, "a row of webhook_deliveries cannot be read") }
        return ListedDelivery(
            id: id, endpoint: try row.decode("endpoint"), event: try row.decode("event"),
            type: try row.decode("event_type"), uid: try row.decode("uid"),
            conversation: try row.decode("conversation"),
            sequence: try row.decode("sequence"), state: state, attempts: try row.decode("attempts"),
            dueAt: state == .pending ? try row.decodeMicroseconds("due_at") : nil, status: try row.decode("status"),
            error: try row.decode("error"), createdAt: try row.decodeMicroseconds("created_at") ?? 0,
            finishedAt: try row.decodeMicroseconds("finished_at"), bodyBytes: try row.decode("body_bytes"))
    }

    /// Makes a delivery due now, with the whole schedule of retries before it.
    ///
    /// - Throws: `.notFound`; `.conflict` when it was delivered, waits behind another, or has no body.
    package func retry(_ id: UniqueID) async throws(WebhookError) {
        let changed = try await execute(
            """
            UPDATE webhook_deliveries SET state = 'pending', failures = 0, due_at = now(), finished_at = NULL
            WHERE id = \(id.description)::uuid AND claim IS NULL AND state IN ('pending', 'dead')
                AND (body IS NOT NULL OR source IS NOT NULL)
            """)
        guard changed == 0 else { return }
        guard let known = try await show(id)?.delivery else {
            throw WebhookError(.notFound, "there is no delivery \(id); `earshot delivery list` lists them")
        }
        switch known.state {
        case .delivered: throw WebhookError(.conflict, "the delivery \(id) was delivered; it is not sent again")
        case .waiting:
            throw WebhookError(.conflict, "the delivery \(id) waits for an earlier one of its conversation")
        case .pending: throw WebhookError(.conflict, "the delivery \(id) is being attempted right now")
        case .dead:
            throw WebhookError(.conflict, "the delivery \(id) cannot be sent: \(known.error ?? "it has no body")")
        }
    }

    /// Removes what was kept long enough, a bounded number of rows.
    ///
    /// - Returns: How many rows were removed; as many as the limit allows means that there are more.
    package func cleanUp() async throws(WebhookError) -> Int {
        let delivered = try await execute(
            """
            DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries
                WHERE state = 'delivered'
                    AND finished_at < now() - \(limits.deliveredKeep.microseconds) * interval '1 microsecond'
                ORDER BY finished_at LIMIT \(limits.cleanUpRows) FOR UPDATE SKIP LOCKED)
            """)
        let dead = try await execute(
            """
            DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries
                WHERE state = 'dead'
                    AND finished_at < now() - \(limits.deadKeep.microseconds) * interval '1 microsecond'
                ORDER BY finished_at LIMIT \(limits.cleanUpRows) FOR UPDATE SKIP LOCKED)
            """)
        let lanes = try await execute(
            """
            DELETE FROM webhook_lanes WHERE (endpoint, conversation) IN (SELECT endpoint, conversation
                FROM webhook_lanes
                WHERE holder IS NULL AND used_at < now() - \(limits.deadKeep.microseconds) * interval '1 microsecond'
                ORDER BY used_at LIMIT \(limits.cleanUpRows) FOR UPDATE SKIP LOCKED)
            """)
        let audio = try await execute(
            """
            DELETE FROM webhook_audio_attempts WHERE (id, at) IN (SELECT id, at FROM webhook_audio_attempts
                WHERE at < now() - \(limits.audioAttemptsKeep.microseconds) * interval '1 microsecond'
                ORDER BY at LIMIT \(limits.cleanUpRows) FOR UPDATE SKIP LOCKED)
            """)
        return max(delivered, dead, lanes, audio)
    }
}
