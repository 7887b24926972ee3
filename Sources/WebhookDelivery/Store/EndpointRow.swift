import EarshotModel
import FoundationEssentials
import PostgresClient

/// How an endpoint stands in its table.
enum EndpointRow {
    /// What `endpoint` reads, from the table under the name `e`.
    static let columns = """
        e.id AS endpoint_id, e.owner_kind, e.owner, e.url, array_to_json(e.events)::text AS events, e.dialect,
        e.is_strict, e.concurrency, e.rate, e.headers::text AS headers, e.window_seconds, e.audio_policy,
        e.state AS endpoint_state, e.reason, e.created_at AS endpoint_created_at, e.changed_at AS endpoint_changed_at,
        coalesce((SELECT json_agg(json_build_array(s.secret,
                    (extract(epoch FROM s.expires_at) * 1000000)::bigint::text) ORDER BY s.created_at DESC)
            FROM webhook_secrets s WHERE s.endpoint = e.id), '[]')::text AS secrets
        """

    /// Reads a row.
    ///
    /// - Throws: what is wrong with it, in words that hold none of its values.
    static func endpoint(_ row: PostgresRow) throws(UnreadableEndpoint) -> WebhookEndpoint {
        do {
            return try read(row)
        } catch {
            let id = try? row.decode("endpoint_id", as: String.self)
            let problem = (error as? WebhookError)?.message ?? (error as? PostgresError)?.message
            throw UnreadableEndpoint(
                id: id ?? "without an id", problem: problem ?? "its headers, events or keys are no JSON")
        }
    }

    private static func read(_ row: PostgresRow) throws -> WebhookEndpoint {
        let name: String = try row.decode("owner")
        guard let id = UniqueID(try row.decode("endpoint_id", as: String.self)),
            let owner = EndpointOwner(kind: try row.decode("owner_kind"), name: name),
            let dialect = WebhookDialect(rawValue: try row.decode("dialect")),
            let state = WebhookEndpoint.State(rawValue: try row.decode("endpoint_state")),
            let policy = AudioEndpoint.Policy(rawValue: try row.decode("audio_policy"))
        else { throw WebhookError(.refused, "its owner, dialect, state or policy is none") }
        let names = try decode([String].self, row, "events")
        var endpoint = WebhookEndpoint(
            id: id, owner: owner, url: try row.decode("url"), events: names.compactMap(WebhookEventType.init),
            dialect: dialect, createdAt: try row.decodeMicroseconds("endpoint_created_at") ?? 0)
        endpoint.isStrict = try row.decode("is_strict")
        endpoint.concurrency = try row.decode("concurrency")
        endpoint.rate = try row.decode("rate")
        endpoint.headers = try decode([String: String].self, row, "headers")
        endpoint.windowSeconds = try row.decode("window_seconds")
        endpoint.audioPolicy = policy
        endpoint.state = state
        endpoint.reason = try row.decode("reason")
        endpoint.changedAt = try row.decodeMicroseconds("endpoint_changed_at") ?? 0
        endpoint.secrets = try decode([[String?]].self, row, "secrets").map { pair in
            EndpointSecret(key: try SigningKey(pair[0] ?? ""), expiresAt: pair[1].flatMap { Int64($0) })
        }
        return endpoint
    }

    static func insertion(of endpoint: WebhookEndpoint) -> SQLStatement {
        """
        INSERT INTO webhook_endpoints (id, owner_kind, owner, url, events, dialect, is_strict, concurrency, rate,
            headers, window_seconds, audio_policy, state)
        VALUES (\(endpoint.id.description)::uuid, \(endpoint.owner.kind), \(endpoint.owner.name), \(endpoint.url),
            \(endpoint.events.map(\.rawValue)), \(endpoint.dialect.rawValue), \(endpoint.isStrict),
            \(endpoint.concurrency), \(endpoint.rate), \(json: json(endpoint.headers)), \(endpoint.windowSeconds),
            \(endpoint.audioPolicy.rawValue), \(endpoint.state.rawValue))
        """
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type, _ row: PostgresRow, _ column: String
    ) throws -> Value {
        try JSONDecoder().decode(type, from: Data(try row.decode(column, as: String.self).utf8))
    }

    private static func json(_ headers: [String: String]) -> String {
        // Texts are always encodable.
        (try? JSONEncoder().encode(headers)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
