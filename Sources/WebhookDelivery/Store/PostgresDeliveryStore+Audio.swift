package import EarshotModel
import PostgresClient

/// Requests with live audio, which another process makes: their log, and what they say about endpoints.
extension PostgresDeliveryStore {
    /// Writes attempts down, again without harm; what belongs to endpoints that are gone is left out.
    ///
    /// - Parameter events: `endpoint.attempts`.
    /// - Returns: Endpoints that were disabled by it.
    /// - Throws: `.refused` for what is no attempt; `.unavailable` when Postgres does not answer.
    package func record(audio events: [SessionEvent]) async throws(WebhookError) -> [DisabledEndpoint] {
        let all = events.flatMap { event in (event.attempts ?? []).map { (event: event, attempt: $0) } }
            .sorted { ($0.attempt.id, $0.attempt.at) < ($1.attempt.id, $1.attempt.at) }
        guard !all.isEmpty else { return [] }
        do {
            return try await client.withTransaction { connection in
                let attempts = all.map(\.attempt)
                let rows = try await connection.query(
                    """
                    WITH written AS (
                        INSERT INTO webhook_audio_attempts (id, at, endpoint, uid, session, sequence, millis, delivered,
                            status, error, remote, response)
                        SELECT t.id, timestamptz 'epoch' + t.at * interval '1 microsecond', t.endpoint, t.uid,
                            t.session, t.sequence, t.millis, t.delivered, t.status, t.error, t.remote, t.response
                        FROM unnest(\(attempts.map(\.id))::uuid[], \(attempts.map(\.at)),
                            \(attempts.map(\.endpoint))::uuid[], \(all.map(\.event.uid)),
                            \(all.map(\.event.session))::uuid[], \(attempts.map { Int64(clamping: $0.sequence) }),
                            \(attempts.map(\.milliseconds)), \(attempts.map(\.isDelivered)),
                            \(attempts.map { $0.status.map { Int64($0) } }), \(attempts.map(\.error)),
                            \(attempts.map(\.remote)), \(attempts.map(\.response)))
                            AS t (id, at, endpoint, uid, session, sequence, millis, delivered, status, error, remote,
                                response)
                            JOIN webhook_endpoints e ON e.id = t.endpoint
                        ON CONFLICT DO NOTHING RETURNING endpoint
                    )
                    SELECT DISTINCT endpoint FROM written
                    """)
                let known = Set(try rows.map { try $0.decode("endpoint", as: String.self) })
                return try await recordHealth(of: EndpointNews(attempts, known: known), on: connection)
            }
        } catch {
            throw WebhookError(error)
        }
    }

    /// The last requests with live audio to an endpoint, newest first.
    package func audioAttempts(
        of endpoint: UniqueID, limit: Int
    ) async throws(WebhookError) -> [LoggedAudioAttempt] {
        try await audioAttempts(
            """
            SELECT * FROM webhook_audio_attempts WHERE endpoint = \(endpoint.description)::uuid
            ORDER BY at DESC, id LIMIT \(limit)
            """)
    }

    /// The requests with one window, newest first.
    package func audioAttempts(
        ofWindow id: UniqueID, limit: Int
    ) async throws(WebhookError) -> [LoggedAudioAttempt] {
        try await audioAttempts(
            """
            SELECT * FROM webhook_audio_attempts WHERE id = \(id.description)::uuid ORDER BY at DESC LIMIT \(limit)
            """)
    }

    private func audioAttempts(_ statement: SQLStatement) async throws(WebhookError) -> [LoggedAudioAttempt] {
        do {
            return try await client.query(statement).map { row in
                LoggedAudioAttempt(
                    window: try row.decode("id"), session: try row.decode("session"), uid: try row.decode("uid"),
                    sequence: try row.decode("sequence"),
                    log: AttemptLog(
                        at: try row.decodeMicroseconds("at") ?? 0, milliseconds: try row.decode("millis"),
                        status: try row.decode("status"), error: try row.decode("error"),
                        remote: try row.decode("remote"), response: try row.decode("response")))
            }
        } catch {
            throw WebhookError(error)
        }
    }
}
