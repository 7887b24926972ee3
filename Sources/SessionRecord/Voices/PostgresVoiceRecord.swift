package import EarshotModel
package import PostgresClient

/// Voices in Postgres; a change of them is a change of the user's settings, by a trigger.
package struct PostgresVoiceRecord: VoiceRecord {
    private let client: PostgresClient

    /// Voices in a migrated database.
    package init(client: PostgresClient) { self.client = client }

    package func segments(
        ofConversation id: String, user: UserID
    ) async throws(SessionRecordError) -> [PlacedSegment]? {
        let rows = try await query(
            // A back end counts from the first sample it had, which may be from long before it named the conversation.
            """
            SELECT coalesce(source = 'backend', false) AS is_backend,
                CASE WHEN source = 'backend' THEN least(started_at,
                    (SELECT min(capture_start) FROM audio_parts WHERE uid = c.uid AND conversation = c.id))
                ELSE started_at END AS origin
            FROM conversations AS c WHERE id = \(id) AND uid = \(user.text)
            """)
        guard let row = rows.first else { return nil }
        let origin: Int64
        let isBackend: Bool
        do throws(PostgresError) {
            origin = try row.decodeMicroseconds("origin") ?? 0
            isBackend = try row.decode("is_backend")
        } catch {
            throw SessionRecordError(error)
        }
        let segments = try await query(
            """
            SELECT id, session, text, start_seconds, end_seconds, speaker_id FROM segments
            WHERE uid = \(user.text) AND conversation = \(id) ORDER BY start_seconds, session, ordinal
            """)
        return try decode(segments) { (row) throws(PostgresError) in
            try Self.segment(row, origin: origin, isBackend: isBackend)
        }
    }

    package func voice(of person: String, user: UserID) async throws(SessionRecordError) -> TaughtVoice? {
        try decode(
            try await query(
                """
                SELECT \(unsafeSQL: Self.columns) FROM voices WHERE uid = \(user.text) AND person = \(person)
                """), Self.voice
        ).first
    }

    package func voices(of user: UserID, limit: Int) async throws(SessionRecordError) -> [TaughtVoice] {
        try decode(
            try await query(
                """
                SELECT \(unsafeSQL: Self.columns) FROM voices WHERE uid = \(user.text) ORDER BY person LIMIT \(limit)
                """), Self.voice)
    }

    package func keep(_ voice: TaughtVoice) async throws(SessionRecordError) {
        do throws(PostgresError) {
            try await client.execute(
                """
                INSERT INTO voices AS v (uid, person, name, embedding, engine, sample, seconds, request, requested_at)
                VALUES (\(voice.uid), \(voice.voice.person), \(voice.voice.name),
                    \(voice.voice.embedding.map(Double.init))::real[], \(voice.voice.engine), \(voice.sample),
                    \(voice.seconds), \(voice.request),
                    timestamptz 'epoch' + \(voice.requestedAt) * interval '1 microsecond')
                ON CONFLICT (uid, person) DO UPDATE SET name = excluded.name, embedding = excluded.embedding,
                    engine = excluded.engine, sample = excluded.sample, seconds = excluded.seconds,
                    request = excluded.request, requested_at = excluded.requested_at, updated_at = now()
                WHERE v.requested_at <= excluded.requested_at
                """)
        } catch {
            throw SessionRecordError(error)
        }
    }

    private static let columns = """
        uid, person, name, to_json(embedding)::text AS embedding, engine, sample, seconds, request, requested_at
        """

    private func query(_ statement: SQLStatement) async throws(SessionRecordError) -> [PostgresRow] {
        do throws(PostgresError) {
            return try await client.query(statement)
        } catch {
            throw SessionRecordError(error)
        }
    }

    private func decode<Value>(
        _ rows: [PostgresRow], _ read: (PostgresRow) throws(PostgresError) -> Value
    ) throws(SessionRecordError) -> [Value] {
        do throws(PostgresError) {
            return try rows.map(read)
        } catch {
            throw SessionRecordError(error)
        }
    }

    private static func segment(
        _ row: PostgresRow, origin: Int64, isBackend: Bool
    ) throws(PostgresError) -> PlacedSegment {
        var segment = TranscriptSegment(
            id: UniqueID(high: 0, low: 0), text: try row.decode("text"), start: try row.decode("start_seconds"),
            end: try row.decode("end_seconds"), sttProvider: nil)
        // A back end names its segments in its own form.
        segment.id = try row.decode("id")
        segment.speakerID = try row.decode("speaker_id")
        return PlacedSegment(
            segment: segment, session: try row.decode("session"), origin: origin, isBackend: isBackend)
    }

    private static func voice(_ row: PostgresRow) throws(PostgresError) -> TaughtVoice {
        // The text of a JSON array of numbers.
        let numbers = try row.decode("embedding", as: String.self).dropFirst().dropLast().split(separator: ",")
        return TaughtVoice(
            uid: try row.decode("uid"),
            voice: KnownVoice(
                person: try row.decode("person"), name: try row.decode("name"),
                embedding: numbers.compactMap { Float($0) }, engine: try row.decode("engine")),
            sample: try row.decode("sample"), seconds: try row.decode("seconds"), request: try row.decode("request"),
            requestedAt: try row.decodeMicroseconds("requested_at") ?? 0)
    }
}
