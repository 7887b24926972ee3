import EarshotClient
import EarshotModel
import Foundation
import PostgresClient
import SessionRecord
import TestSupport
import Testing
import WebhookDelivery

/// What a back end of generation D says of speakers (omi.md section 3), from the bytes of its 102 to webhooks.
@Suite("Speakers at the back-end door") struct BackendSpeakerTests {
    /// A 102 as a back end of the newest generation sends it.
    private static let sent = #"""
        {"segments": [{"id": "0b6a91c4-27de-4f18-8e43-1c9d5a7b2f64", "text": "It was the best of times.", \#
        "speaker": "SPEAKER_02", "speaker_id": 2, "is_user": false, "person_id": "p-7f3a", "start": 0.52, "end": 2.0, \#
        "translations": [], "speech_profile_processed": false, "stt_provider": "deepgram", \#
        "speaker_label_source": "carried", "speaker_match_source": "voice", "speaker_id_scope": "conversation", \#
        "speaker_identity_status": "not_user"}, \#
        {"id": "5f0c2d9e-64b1-4a3c-9d2f-8b7e6a5d4c30", "text": "It was the worst of times.", \#
        "speaker": "SPEAKER_11", "speaker_id": 11, "is_user": true, "person_id": null, "start": 2.5, "end": 4.25, \#
        "translations": [], "speech_profile_processed": true, "stt_provider": null, \#
        "speaker_label_source": null, "speaker_identity_status": "user"}], "memory_id": "c1"}
        """#

    private static let fields = [
        "id", "text", "speaker", "speaker_id", "is_user", "person_id", "start", "end", "speech_profile_processed",
        "stt_provider", "speaker_label_source", "speaker_match_source", "speaker_id_scope", "speaker_identity_status",
    ]

    /// The fields above of each segment under a path of a JSON document, as JSON with sorted keys.
    private func speakers(_ json: String, _ path: String...) throws -> [String] {
        var value = try JSONSerialization.jsonObject(with: Data(json.utf8))
        for name in path { value = try #require((value as? [String: Any])?[name]) }
        let segments = try #require(value as? [[String: Any]])
        return try segments.map { segment in
            let fields = segment.filter { Self.fields.contains($0.key) }
            let data = try JSONSerialization.data(withJSONObject: fields, options: .sortedKeys)
            return String(decoding: data, as: UTF8.self)
        }
    }

    @Test("What a back end says of speakers comes out of webhooks of both dialects as it was sent")
    func unchanged() async throws {
        let bytes = BackendPeer.message(102, Array(Self.sent.utf8))
        #expect(bytes.prefix(5) == [0x66, 0, 0, 0, 0x7B])
        let expected = try speakers(Self.sent, "segments")
        #expect(expected.map { $0.split(separator: "\":").count - 1 } == [14, 12])
        try await GatewayHarness.withDoor { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.connection.send(binary: bytes)
            await peer.connection.close(code: 1000)
            let sessions = try await harness.untilOver(1)
            let events = try await harness.events(of: "alice", .transcriptSegments)
            try #require(events.count == 1)

            // At once, out of the event.
            let bodies = WebhookBody(DeliveryLimits())
            let omi = try #require(bodies.bodies(of: events[0], in: .omi).first ?? nil)
            #expect(try speakers(omi, "segments") == expected)
            let standard = try #require(bodies.bodies(of: events[0], in: .standard).first ?? nil)
            #expect(try speakers(standard, "data", "segments") == expected)

            // And once the conversation is over, out of the record.
            let kept = try await recorded(sessions + events)
            let conversation = ConversationSnapshot(
                id: "c1", uid: "alice", startedAt: sessions[0].time, finishedAt: sessions[0].time, segments: kept)
            let completion = SessionEvent(
                type: .conversationCompleted, group: "coordinator", uid: "alice",
                session: try #require(SessionID(sessions[0].session)), conversation: "c1",
                time: sessions[0].time, ordinal: 0)
            let created = try #require(bodies.body(of: completion, conversation, in: .omi))
            #expect(try speakers(created, "transcript_segments") == expected)
            let completed = try #require(bodies.body(of: completion, conversation, in: .standard))
            #expect(try speakers(completed, "data", "segments") == expected)
        }
    }

    /// The segments of the conversation, as the record in Postgres has them after these events.
    private func recorded(_ events: [SessionEvent]) async throws -> [TranscriptSegment] {
        let migrations = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Migrations").path
        return try await PostgresServerFixture.withDatabase { database in
            _ = try await MigrationRunner(client: database.client, directory: migrations, logger: .silent).run()
            let record = PostgresSessionRecord(client: database.client)
            try await record.write(events)
            return try await record.segments(ofConversation: "c1", user: "alice")
        }
    }
}
