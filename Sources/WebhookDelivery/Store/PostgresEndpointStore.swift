package import EarshotModel
package import Logging
package import PostgresClient

/// Endpoints, their keys, and the users of apps, in Postgres.
package struct PostgresEndpointStore: Sendable {
    private let client: PostgresClient
    private let limits: DeliveryLimits
    private let logger: Logger

    /// A store in a migrated database.
    package init(
        client: PostgresClient, limits: DeliveryLimits = DeliveryLimits(),
        logger: Logger = Logger(label: "earshot.endpoints") { _ in SwiftLogNoOpLogHandler() }
    ) {
        self.client = client
        self.limits = limits
        self.logger = logger
    }

    // MARK: Looking up

    /// The endpoints that get a user's events: its own and those of its apps, oldest first.
    ///
    /// Those disabled lately are among them, so that their events can be kept for a replay. Those that cannot be read
    /// are left out, and logged.
    package func endpoints(of user: UserID) async throws(WebhookError) -> [WebhookEndpoint] {
        try await query(
            """
            SELECT \(unsafeSQL: EndpointRow.columns) FROM webhook_endpoints e
            WHERE ((owner_kind = 'user' AND owner = \(user.text))
                    OR (owner_kind = 'app' AND owner IN (SELECT app FROM webhook_app_users WHERE uid = \(user.text))))
                AND (state = 'enabled' OR changed_at > now() - \(limits.disabledKeep.microseconds)
                    * interval '1 microsecond')
            ORDER BY created_at, id
            """
        ).compactMap { row in
            do throws(UnreadableEndpoint) {
                return try EndpointRow.endpoint(row)
            } catch {
                logger.error(
                    "an endpoint cannot be read", metadata: ["endpoint": "\(error.id)", "reason": "\(error.problem)"])
                return nil
            }
        }
    }

    /// One endpoint; `nil` when there is none.
    package func endpoint(_ id: UniqueID) async throws(WebhookError) -> WebhookEndpoint? {
        try await read(
            """
            SELECT \(unsafeSQL: EndpointRow.columns) FROM webhook_endpoints e WHERE id = \(id.description)::uuid
            """
        ).first
    }

    /// Endpoints, oldest first, at most `limit`; only one owner's when asked.
    package func list(owner: EndpointOwner?, limit: Int) async throws(WebhookError) -> [WebhookEndpoint] {
        try await read(
            """
            SELECT \(unsafeSQL: EndpointRow.columns) FROM webhook_endpoints e
            WHERE \(owner?.kind)::text IS NULL OR (owner_kind = \(owner?.kind) AND owner = \(owner?.name))
            ORDER BY created_at, id LIMIT \(limit)
            """)
    }

    private func read(_ statement: SQLStatement) async throws(WebhookError) -> [WebhookEndpoint] {
        let rows = try await query(statement)
        do throws(UnreadableEndpoint) {
            return try rows.map { row throws(UnreadableEndpoint) in try EndpointRow.endpoint(row) }
        } catch {
            throw WebhookError(.refused, "\(error)")
        }
    }

    private func query(_ statement: SQLStatement) async throws(WebhookError) -> [PostgresRow] {
        do {
            return try await client.query(statement)
        } catch {
            throw WebhookError(error)
        }
    }

    // MARK: Changing

    /// Adds an endpoint with its keys.
    ///
    /// - Throws: `.invalidEndpoint` when a setting is not allowed or the owner has too many.
    package func add(_ endpoint: WebhookEndpoint) async throws(WebhookError) {
        try EndpointRules.check(endpoint)
        try await transaction { connection in
            let owned = try await connection.query(
                """
                SELECT count(*) AS count FROM webhook_endpoints
                WHERE owner_kind = \(endpoint.owner.kind) AND owner = \(endpoint.owner.name)
                """)
            guard try owned[0].decode("count", as: Int.self) < limits.endpointsMaximum else {
                throw WebhookError(
                    .invalidEndpoint,
                    "\(endpoint.owner) has \(limits.endpointsMaximum) endpoints already, which is the most allowed")
            }
            try await connection.execute(EndpointRow.insertion(of: endpoint))
            try await connection.execute(
                "INSERT INTO webhook_health (endpoint) VALUES (\(endpoint.id.description)::uuid)")
            for secret in endpoint.secrets { try await connection.execute(Self.insertion(of: secret.key, endpoint.id)) }
        }
    }

    /// Enables or disables; enabling begins with a clean slate.
    ///
    /// - Throws: `.notFound`.
    package func set(
        _ state: WebhookEndpoint.State, reason: String?, of id: UniqueID
    ) async throws(WebhookError) {
        try await transaction { connection in
            let changed = try await connection.execute(
                """
                UPDATE webhook_endpoints SET state = \(state.rawValue), reason = \(reason), changed_at = now()
                WHERE id = \(id.description)::uuid
                """)
            guard changed == 1 else { throw Self.unknown(id) }
            try await connection.execute(
                """
                UPDATE webhook_health SET failing_since = NULL, paused_until = 'epoch'
                WHERE endpoint = \(id.description)::uuid
                """)
        }
    }

    /// Gives an endpoint a new key of each kind it has, or of the kinds asked for.
    ///
    /// - Parameters:
    ///   - id: The endpoint.
    ///   - keep: How long the keys of these kinds that are current now stay good; zero revokes them at once.
    ///   - keys: The new keys.
    /// - Throws: `.notFound`; `.conflict` when too many keys would be good at once.
    package func rotate(_ id: UniqueID, keep: Duration, adding keys: [SigningKey]) async throws(WebhookError) {
        try await transaction { connection in
            let rows = try await connection.query(
                "SELECT id FROM webhook_endpoints WHERE id = \(id.description)::uuid FOR UPDATE")
            guard !rows.isEmpty else { throw Self.unknown(id) }
            for prefix in Set(keys.map { $0.isEd25519 ? "whsk_%" : "whsec_%" }).sorted() {
                try await connection.execute(
                    """
                    UPDATE webhook_secrets
                    SET expires_at = least(expires_at, now() + \(keep.microseconds) * interval '1 microsecond')
                    WHERE endpoint = \(id.description)::uuid AND secret LIKE \(prefix)
                    """)
            }
            try await connection.execute(
                "DELETE FROM webhook_secrets WHERE endpoint = \(id.description)::uuid AND expires_at <= now()")
            for key in keys { try await connection.execute(Self.insertion(of: key, id)) }
            let count = try await connection.query(
                "SELECT count(*) AS count FROM webhook_secrets WHERE endpoint = \(id.description)::uuid")
            guard try count[0].decode("count", as: Int.self) <= limits.secretsMaximum else {
                throw WebhookError(
                    .conflict,
                    "the endpoint would have more than \(limits.secretsMaximum) keys that are good at once; revoke the "
                        + "old ones now, or wait until they expire")
            }
        }
    }

    /// Gives an app users, or takes them away.
    package func setUsers(
        ofApp app: String, adding: [UserID], removing: [UserID]
    ) async throws(WebhookError) {
        try await transaction { connection in
            try await connection.execute(
                """
                INSERT INTO webhook_app_users (uid, app) SELECT uid, \(app)::text FROM unnest(\(adding.map(\.text)))
                    AS t (uid) ORDER BY uid ON CONFLICT DO NOTHING
                """)
            try await connection.execute(
                "DELETE FROM webhook_app_users WHERE app = \(app) AND uid = ANY (\(removing.map(\.text)))")
        }
    }

    /// An app's users, at most `limit`.
    package func users(ofApp app: String, limit: Int) async throws(WebhookError) -> [String] {
        do {
            return try await client.query(
                "SELECT uid FROM webhook_app_users WHERE app = \(app) ORDER BY uid LIMIT \(limit)"
            ).map { try $0.decode("uid") }
        } catch {
            throw WebhookError(error)
        }
    }

    private func transaction(
        _ body: (PostgresConnection) async throws -> Void
    ) async throws(WebhookError) {
        do {
            try await client.withTransaction(body)
        } catch {
            throw WebhookError(error)
        }
    }

    private static func insertion(of key: SigningKey, _ endpoint: UniqueID) -> SQLStatement {
        """
        INSERT INTO webhook_secrets (id, endpoint, secret)
        VALUES (gen_random_uuid(), \(endpoint.description)::uuid, \(key.text))
        """
    }

    private static func unknown(_ id: UniqueID) -> WebhookError {
        WebhookError(.notFound, "there is no endpoint \(id); `earshot endpoint list` lists them")
    }
}
