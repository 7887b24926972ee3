import EarshotModel
import PostgresClient

extension PostgresSessionRecord {
    package func audioParts(ofSession id: String) async throws(SessionRecordError) -> [RecordedAudioPart] {
        let rows = try await perform { client in
            try await client.query(
                "SELECT \(unsafeSQL: Self.audioColumns) FROM audio_parts WHERE session = \(id)::uuid ORDER BY part")
        }
        return try decode(rows, Self.audioPart)
    }

    package func audioParts(
        ofConversation id: String, user: String?
    ) async throws(SessionRecordError) -> [RecordedAudioPart] {
        let rows = try await perform { client in
            try await client.query(
                """
                SELECT \(unsafeSQL: Self.audioColumns) FROM audio_parts
                WHERE conversation = \(id) AND (\(user)::text IS NULL OR uid = \(user))
                ORDER BY capture_start, session, part
                """)
        }
        return try decode(rows, Self.audioPart)
    }

    private static let audioColumns = """
        session, conversation, uid, part, first_sequence, last_sequence, object, format, encrypted, bytes, sha256,
        sample_rate, capture_start, capture_end, seconds
        """

    private static func audioPart(_ row: PostgresRow) throws(PostgresError) -> RecordedAudioPart {
        let format = try row.decode("format", as: String.self)
        guard let format = StoredAudioPart.Format(rawValue: format) else {
            throw PostgresError(.decodingFailed, "the record names an audio format that this build does not know")
        }
        let audio = StoredAudioPart(
            part: UInt64(clamping: try row.decode("part", as: Int64.self)),
            firstSequence: UInt64(clamping: try row.decode("first_sequence", as: Int64.self)),
            lastSequence: UInt64(clamping: try row.decode("last_sequence", as: Int64.self)),
            object: try row.decode("object"), format: format, isEncrypted: try row.decode("encrypted"),
            bytes: Int(try row.decode("bytes", as: Int64.self)), sha256: try row.decode("sha256"),
            sampleRate: try row.decode("sample_rate"),
            captureStart: try row.decodeMicroseconds("capture_start") ?? 0,
            captureEnd: try row.decodeMicroseconds("capture_end") ?? 0, seconds: try row.decode("seconds"))
        return RecordedAudioPart(
            session: try row.decode("session"), conversation: try row.decode("conversation"),
            uid: try row.decode("uid"), audio: audio)
    }
}
