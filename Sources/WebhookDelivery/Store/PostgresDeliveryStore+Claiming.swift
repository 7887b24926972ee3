package import EarshotModel
import PostgresClient

/// Who may attempt what: one statement chooses, under locks that make concurrency and rate hold in the whole fleet.
extension PostgresDeliveryStore {
    /// What a look at the database found.
    package struct Claimed: Sendable {
        package var deliveries: [ClaimedDelivery] = []
        /// In how long something is due that could not be had now; `nil` when nothing is known.
        package var next: Duration?
        /// Endpoints with deliveries due of which this process' gates allowed nothing.
        package var held: Set<UniqueID> = []
        /// Endpoints and deliveries whose rows cannot be read, with the reason; the others go on.
        package var unreadable: [String: String] = [:]
    }

    /// Claims deliveries that are due, fairly over endpoints, at most `slots`.
    ///
    /// - Parameters:
    ///   - slots: Free slots of this process.
    ///   - gates: What this process thinks of endpoints.
    /// - Returns: The claimed ones, in the order of their lanes, and when to look again.
    /// - Throws: `WebhookError` when Postgres does not answer.
    package func claim(slots: Int, gates: EndpointGates) async throws(WebhookError) -> Claimed {
        do {
            var claimed = Claimed()
            var allowances: [String: Int] = [:]
            var proven: Set<String> = []
            for row in try await client.query(Self.dueEndpoints) {
                claimed.next = Self.sooner(claimed.next, try row.decode("next_in", as: Int64?.self))
                guard try row.decode("is_due"), let id = UniqueID(try row.decode("endpoint", as: String.self)) else {
                    continue
                }
                let allowed = gates.allowance(of: id)
                if allowed > 0 { allowances[id.description] = allowed } else { claimed.held.insert(id) }
                if gates.isProven(id) { proven.insert(id.description) }
            }
            guard slots > 0, !allowances.isEmpty else { return claimed }
            try await client.withTransaction { connection in
                try await claim(
                    slots: slots, allowances, proven, unprovenRoom: gates.unprovenRoom, into: &claimed, on: connection)
            }
            return claimed
        } catch {
            throw WebhookError(error)
        }
    }

    /// Enabled endpoints with unfinished deliveries; steps from one to the next instead of reading every delivery.
    private static let dueEndpoints: SQLStatement = """
        WITH RECURSIVE busy (endpoint) AS (
            (SELECT endpoint FROM webhook_deliveries WHERE state = 'pending' ORDER BY endpoint LIMIT 1)
            UNION ALL
            SELECT (SELECT d.endpoint FROM webhook_deliveries d
                WHERE d.state = 'pending' AND d.endpoint > busy.endpoint ORDER BY d.endpoint LIMIT 1)
            FROM busy WHERE busy.endpoint IS NOT NULL
        )
        SELECT b.endpoint,
            EXISTS (SELECT 1 FROM webhook_deliveries d
                WHERE d.endpoint = b.endpoint AND d.state = 'pending' AND d.due_at <= now())
                AND h.paused_until <= now() AS is_due,
            (extract(epoch FROM greatest(h.paused_until, (SELECT d.due_at FROM webhook_deliveries d
                WHERE d.endpoint = b.endpoint AND d.state = 'pending' AND d.due_at > now() ORDER BY d.due_at LIMIT 1))
                - now()) * 1000000)::bigint AS next_in
        FROM busy b JOIN webhook_endpoints e ON e.id = b.endpoint JOIN webhook_health h ON h.endpoint = b.endpoint
        WHERE e.state = 'enabled'
        """

    private static func sooner(_ known: Duration?, _ microseconds: Int64?) -> Duration? {
        guard let microseconds, microseconds > 0 else { return known }
        return min(known ?? .microseconds(microseconds), .microseconds(microseconds))
    }

    private func claim(
        slots: Int, _ allowances: [String: Int], _ proven: Set<String>, unprovenRoom: Int,
        into claimed: inout Claimed, on connection: PostgresConnection
    ) async throws {
        let names = allowances.keys.sorted()
        // First the locks, then the counts: they must see what the lock's last holder did.
        try await connection.execute(
            """
            SELECT 1 FROM webhook_health WHERE endpoint = ANY (\(names)::uuid[]) ORDER BY endpoint FOR UPDATE
            """)
        var endpoints: [String: WebhookEndpoint] = [:]
        var candidates: [ClaimPlan.Candidate] = []
        var now: Int64 = 0
        for row in try await connection.query(Self.counts(of: names, slots: slots)) {
            let endpoint: WebhookEndpoint
            do throws(UnreadableEndpoint) {
                endpoint = try EndpointRow.endpoint(row)
            } catch {
                claimed.unreadable[error.id] = error.problem
                continue
            }
            endpoints[endpoint.id.description] = endpoint
            now = try row.decode("now_us")
            candidates.append(
                ClaimPlan.Candidate(
                    endpoint: endpoint.id.description, due: try row.decode("due"), concurrency: endpoint.concurrency,
                    inFlight: try row.decode("in_flight"), rate: endpoint.rate, nextAt: try row.decode("next_us")))
        }
        let plan = ClaimPlan(
            candidates.shuffled(), slots: slots, slotsMaximum: limits.slots, allowances: allowances, proven: proven,
            unprovenRoom: unprovenRoom, now: now)
        if let paceAt = plan.paceAt { claimed.next = Self.sooner(claimed.next, max(1, paceAt - now)) }
        guard !plan.shares.isEmpty else { return }
        let token = UniqueID.timeOrdered(at: now)
        for row in try await connection.query(taking(plan.shares, token)) {
            guard let endpoint = endpoints[try row.decode("endpoint", as: String.self)] else { continue }
            do {
                claimed.deliveries.append(try Self.delivery(row, endpoint, claim: token))
            } catch {
                // Its claim keeps it aside for a while; a newer worker may know what it is.
                claimed.unreadable[try row.decode("id")] = WebhookError(error).message
            }
        }
        claimed.deliveries.sort { ($0.conversation, $0.sequence) < ($1.conversation, $1.sequence) }
        try await connection.execute(
            """
            UPDATE webhook_health h SET next_at = timestamptz 'epoch' + t.next * interval '1 microsecond'
            FROM unnest(\(plan.shares.map(\.endpoint))::uuid[], \(plan.shares.map(\.nextAt))) AS t (endpoint, next)
            WHERE h.endpoint = t.endpoint
            """)
    }

    private static func counts(of endpoints: [String], slots: Int) -> SQLStatement {
        """
        SELECT \(unsafeSQL: EndpointRow.columns),
            (SELECT count(*) FROM (SELECT 1 FROM webhook_deliveries d
                WHERE d.endpoint = e.id AND d.state = 'pending' AND d.due_at <= now() LIMIT \(slots)) AS due) AS due,
            (SELECT count(*) FROM webhook_deliveries d
                WHERE d.endpoint = e.id AND d.claim IS NOT NULL AND d.due_at > now()) AS in_flight,
            (extract(epoch FROM greatest(h.next_at, 'epoch')) * 1000000)::bigint AS next_us,
            (extract(epoch FROM now()) * 1000000)::bigint AS now_us
        FROM webhook_endpoints e JOIN webhook_health h ON h.endpoint = e.id
        WHERE e.id = ANY (\(endpoints)::uuid[]) AND e.state = 'enabled'
        """
    }

    private func taking(_ shares: [ClaimPlan.Share], _ token: UniqueID) -> SQLStatement {
        """
        UPDATE webhook_deliveries d SET claim = \(token.description)::uuid,
            due_at = now() + \(limits.claimDuration.microseconds) * interval '1 microsecond'
        FROM (
            SELECT due.id FROM unnest(\(shares.map(\.endpoint))::uuid[], \(shares.map(\.count))) AS s (endpoint, count)
            CROSS JOIN LATERAL (
                SELECT p.id FROM webhook_deliveries p
                WHERE p.endpoint = s.endpoint AND p.state = 'pending' AND p.due_at <= now()
                ORDER BY p.due_at, p.sequence LIMIT s.count FOR UPDATE SKIP LOCKED
            ) AS due
        ) AS taken
        WHERE d.id = taken.id
        RETURNING d.id, d.endpoint, d.event, d.event_type, d.uid, d.conversation, d.sequence, d.body, d.source,
            d.attempts, d.failures, (extract(epoch FROM now() - d.created_at) * 1000000)::bigint AS age_us
        """
    }

    private static func delivery(
        _ row: PostgresRow, _ endpoint: WebhookEndpoint, claim: UniqueID
    ) throws -> ClaimedDelivery {
        guard let id = UniqueID(try row.decode("id", as: String.self)),
            let event = UniqueID(try row.decode("event", as: String.self)),
            let type = WebhookEventType(rawValue: try row.decode("event_type"))
        else { throw WebhookError(.refused, "a row of webhook_deliveries cannot be read") }
        return ClaimedDelivery(
            id: id, claim: claim, endpoint: endpoint, event: event, type: type, uid: try row.decode("uid"),
            conversation: try row.decode("conversation"), sequence: try row.decode("sequence"),
            body: try row.decode("body"), source: try row.decode("source"), attempts: try row.decode("attempts"),
            failures: try row.decode("failures"), age: .microseconds(try row.decode("age_us", as: Int64.self)))
    }
}
