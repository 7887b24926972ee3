package import EarshotModel
package import PostgresClient

/// The record in Postgres: one transaction a batch, bulk upserts, rows guarded by ordinals.
package struct PostgresSessionRecord: SessionRecord {
    private let client: PostgresClient

    /// A record in a migrated database.
    package init(client: PostgresClient) { self.client = client }

    package func write(_ events: [SessionEvent]) async throws(SessionRecordError) {
        let batch = RecordBatch(events)
        try await perform { client in
            try await client.withTransaction { connection in
                for statement in batch.statements { _ = try await connection.execute(statement) }
            }
        }
    }

    package func sessions(
        activeOnly: Bool, user: String?, before place: SessionPlace?, limit: Int
    ) async throws(SessionRecordError) -> [RecordedSession] {
        let statement = Self.listing(activeOnly: activeOnly, user: user, before: place, limit: limit)
        return try decode(try await perform { try await $0.query(statement) }, Self.session)
    }

    package func session(_ id: String) async throws(SessionRecordError) -> RecordedSession? {
        let rows = try await perform { client in
            try await client.query(
                "SELECT \(unsafeSQL: Self.sessionColumns) FROM sessions WHERE id = \(id)::uuid")
        }
        return try decode(rows, Self.session).first
    }

    /// Only the conditions that are asked for, and the order of the indexes: they serve the page as it stands there.
    static func listing(activeOnly: Bool, user: String?, before place: SessionPlace?, limit: Int) -> SQLStatement {
        var text = SQLStatement.StringInterpolation(literalCapacity: 400, interpolationCount: 5)
        text.appendLiteral("SELECT \(sessionColumns) FROM sessions WHERE true")
        if activeOnly { text.appendLiteral(" AND ended_at IS NULL") }
        if let user {
            text.appendLiteral(" AND uid = ")
            text.appendInterpolation(user)
        }
        if let place {
            if let start = place.startedAt {
                // The index finds the moment; the rest tells apart the few sessions that began in it.
                text.appendLiteral(" AND started_at <= ")
                text.appendInterpolation(microseconds: start)
                text.appendLiteral(" AND (started_at < ")
                text.appendInterpolation(microseconds: start)
            } else {
                text.appendLiteral(" AND (started_at IS NOT NULL")
            }
            text.appendLiteral(" OR id > ")
            text.appendInterpolation(place.id)
            text.appendLiteral("::uuid)")
        }
        text.appendLiteral(" ORDER BY started_at DESC, id LIMIT ")
        text.appendInterpolation(limit)
        return SQLStatement(stringInterpolation: text)
    }

    private static let sessionColumns = """
        id, uid, conversation, codec, sample_rate, language, source, gateway, started_at, ended_at, end_reason, \
        audio_seconds
        """

    package func segments(ofSession id: String) async throws(SessionRecordError) -> [TranscriptSegment] {
        let rows = try await perform { client in
            try await client.query(
                "SELECT \(unsafeSQL: Self.segmentColumns) FROM segments WHERE session = \(id)::uuid ORDER BY ordinal")
        }
        return try decode(rows, Self.segment)
    }

    package func segments(
        ofConversation id: String, user: String
    ) async throws(SessionRecordError) -> [TranscriptSegment] {
        let rows = try await perform { client in
            try await client.query(
                """
                SELECT \(unsafeSQL: Self.segmentColumns) FROM segments WHERE conversation = \(id) AND uid = \(user)
                ORDER BY start_seconds, session, ordinal
                """)
        }
        return try decode(rows, Self.segment)
    }

    private static let segmentColumns = """
        id, text, start_seconds, end_seconds, speaker, speaker_id, is_user, person, channel, language, stt_provider,
        speaker_label_source, speaker_match_source, speaker_identity_status, speaker_id_scope, speech_profile_processed
        """

    func perform<Value: Sendable>(
        _ body: (PostgresClient) async throws -> Value
    ) async throws(SessionRecordError) -> Value {
        do {
            return try await body(client)
        } catch let error as PostgresError {
            throw SessionRecordError(error)
        } catch {
            throw SessionRecordError(.unavailable, "\(error)")
        }
    }

    func decode<Value>(
        _ rows: [PostgresRow], _ read: (PostgresRow) throws(PostgresError) -> Value
    ) throws(SessionRecordError) -> [Value] {
        do throws(PostgresError) {
            return try rows.map(read)
        } catch {
            throw SessionRecordError(error)
        }
    }

    private static func session(_ row: PostgresRow) throws(PostgresError) -> RecordedSession {
        RecordedSession(
            id: try row.decode("id"), uid: try row.decode("uid"), conversation: try row.decode("conversation"),
            codec: try row.decode("codec"), sampleRate: try row.decode("sample_rate"),
            language: try row.decode("language"), source: try row.decode("source"), gateway: try row.decode("gateway"),
            startedAt: try row.decodeMicroseconds("started_at"), endedAt: try row.decodeMicroseconds("ended_at"),
            endReason: try row.decode("end_reason"), audioSeconds: try row.decode("audio_seconds"))
    }

    private static func segment(_ row: PostgresRow) throws(PostgresError) -> TranscriptSegment {
        // The id may be a back end's own.
        var segment = TranscriptSegment(
            id: UniqueID(high: 0, low: 0), text: try row.decode("text"), start: try row.decode("start_seconds"),
            end: try row.decode("end_seconds"), sttProvider: try row.decode("stt_provider"),
            language: try row.decode("language"))
        segment.id = try row.decode("id")
        segment.speaker = try row.decode("speaker")
        segment.speakerID = try row.decode("speaker_id")
        segment.isUser = try row.decode("is_user")
        segment.personID = try row.decode("person")
        segment.channel = try row.decode("channel")
        segment.speakerLabelSource = try row.decode("speaker_label_source")
        segment.speakerMatchSource = try row.decode("speaker_match_source")
        segment.speakerIdentityStatus = try row.decode("speaker_identity_status")
        segment.speakerIDScope = try row.decode("speaker_id_scope")
        segment.speechProfileProcessed = try row.decode("speech_profile_processed") ?? true
        return segment
    }
}

extension SessionRecordError {
    /// Bad data is refused for good; everything else may pass with time.
    init(_ error: PostgresError) {
        switch error.code {
        case .invalidData, .notNullViolation, .checkViolation, .uniqueViolation, .foreignKeyViolation,
            .invalidArgument, .decodingFailed:
            self.init(.refused, "\(error)")
        default: self.init(.unavailable, "\(error)")
        }
    }
}
