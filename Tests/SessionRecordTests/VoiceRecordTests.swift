import EarshotModel
import Foundation
import PostgresClient
import SessionRecord
import TestSupport
import Testing

/// The record of voices in Postgres, and in memory.
@Suite struct VoiceRecordTests {
    private let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Migrations").path

    private func withPostgres(_ body: (PostgresClient) async throws -> Void) async throws {
        try await PostgresServerFixture.withDatabase { database in
            _ = try await MigrationRunner(client: database.client, directory: directory, logger: .silent).run()
            try await body(database.client)
        }
    }

    private func voice(
        _ name: String, person: String = "bob", at time: Int64 = 1_700_000_000_000_000
    ) -> TaughtVoice {
        TaughtVoice(
            uid: "alice",
            voice: KnownVoice(
                person: person, name: name, embedding: (0..<256).map { 1 / Float($0 + 3) }, engine: "engine"),
            sample: "alice/people_profiles/\(person)/\(name.utf8.count).wav", seconds: 12.5, request: "request",
            requestedAt: time)
    }

    @Test("A voice comes back as it was kept, a newer one takes its place, an older one does not")
    func keep() async throws {
        let alice = try #require(UserID("alice"))
        try await withPostgres { client in
            for record in [InMemoryVoiceRecord() as any VoiceRecord, PostgresVoiceRecord(client: client)] {
                #expect(try await record.voice(of: "bob", user: alice) == nil)
                try await record.keep(voice("Bob \"O'B\" 😀"))
                #expect(try await record.voice(of: "bob", user: alice) == voice("Bob \"O'B\" 😀"))
                try await record.keep(voice("new", at: 1_700_000_000_000_001))
                try await record.keep(voice("old", at: 1_600_000_000_000_000))
                try await record.keep(voice("me", person: "user"))
                #expect(try await record.voices(of: alice, limit: 10).map(\.voice.name) == ["new", "me"])
                #expect(try await record.voices(of: try #require(UserID("bob")), limit: 10).isEmpty)
            }
        }
    }

    @Test("A voice that is taught is a change of the user's settings, which carry it")
    func settings() async throws {
        let alice = try #require(UserID("alice"))
        try await withPostgres { client in
            let record = PostgresVoiceRecord(client: client)
            let settings = PostgresSettingsStore(client: client)
            try await record.keep(voice("Bob"))
            try await record.keep(voice("Me", person: KnownVoice.owner))
            let pending = try await settings.pending(limit: 10)
            #expect(pending.map(\.user) == [alice])
            #expect(pending.first?.settings.voices.map(\.name) == ["Me", "Bob"])
            #expect(pending.first?.settings.voices.last == voice("Bob").voice)
            try await settings.markProjected(pending)
            #expect(try await settings.pending(limit: 10).isEmpty)
            for number in 0..<70 { try await record.keep(voice("x", person: "p\(number)")) }
            let voices = try await settings.settings(of: alice).voices
            #expect(voices.count == 64)
            #expect(voices.first?.person == KnownVoice.owner)
        }
    }

    @Test("A conversation's segments have their place in time, and are their user's own")
    func segments() async throws {
        let alice = try #require(UserID("alice"))
        let session = SessionID.new(at: 1_700_000_000_000_000)
        try await withPostgres { client in
            let writer = PostgresSessionRecord(client: client)
            let record = PostgresVoiceRecord(client: client)
            var started = SessionEvent(
                type: .sessionStarted, group: "gateway", uid: "alice", session: session, conversation: "talk",
                time: 1_700_000_005_000_000, ordinal: 0)
            started.conversationStart = 1_700_000_000_000_000
            var event = SessionEvent(
                type: .transcriptSegments, group: "transcript", uid: "alice", session: session, conversation: "talk",
                time: 1_700_000_005_000_000, ordinal: 1)
            var segment = TranscriptSegment(
                id: SegmentID.of(session: session, ordinal: 0), text: "hello", start: 2.5, end: 4, sttProvider: "x")
            segment.speakerID = 3
            event.segments = [segment]
            event.firstSegment = 0
            try await writer.write([started, event])
            let found = try #require(try await record.segments(ofConversation: "talk", user: alice))
            #expect(found.map(\.segment.id) == [segment.id])
            #expect(found.first?.segment.speakerID == 3)
            #expect(found.first?.session == session.description)
            #expect(found.first?.times == 1_700_000_002_500_000..<1_700_000_004_000_000)
            #expect(try await record.segments(ofConversation: "talk", user: try #require(UserID("eve"))) == nil)
            #expect(try await record.segments(ofConversation: "other", user: alice) == nil)
        }
    }

    @Test("A back end's seconds count from its first audio, which may be older than the conversation's registration")
    func backendOrigin() async throws {
        let alice = try #require(UserID("alice"))
        try await withPostgres { client in
            let writer = PostgresSessionRecord(client: client)
            let record = PostgresVoiceRecord(client: client)
            let now: Int64 = 1_700_000_900_000_000
            let captured: Int64 = 1_700_000_000_250_000
            for (source, talk) in [("backend", "past"), ("backend", "silent"), ("omi", "device")] {
                let session = SessionID.new(at: now)
                func event(_ type: SessionEvent.Kind) -> SessionEvent {
                    SessionEvent(
                        type: type, group: "x", uid: "alice", session: session, conversation: talk, time: now,
                        ordinal: 1)
                }
                var started = event(.sessionStarted)
                started.conversationStart = now
                started.source = source
                var heard = event(.transcriptSegments)
                heard.segments = [
                    TranscriptSegment(
                        id: SegmentID.of(session: session, ordinal: 0), text: "hello", start: 2, end: 4,
                        sttProvider: nil)
                ]
                var stored = event(.audioStored)
                stored.audio = StoredAudioPart(
                    part: 0, firstSequence: 0, lastSequence: 9, object: "o", format: .ogg, isEncrypted: false, bytes: 1,
                    sha256: "s", sampleRate: 16_000, captureStart: captured, captureEnd: captured + 60_000_000,
                    seconds: 60)
                try await writer.write([started, heard] + (talk == "silent" ? [] : [stored]))
                let found = try #require(try await record.segments(ofConversation: talk, user: alice)?.first)
                #expect(found.origin == (talk == "past" ? captured : now))
                #expect(found.isBackend == (source == "backend"))
            }
        }
    }
}
