import EarshotModel
import Foundation
import PostgresClient
import SessionRecord
import TestSupport
import Testing

/// The same expectations for Postgres and for its twin in memory.
@Suite struct SessionRecordTests {
    enum Kind: CaseIterable {
        case postgres
        case memory
    }

    private func withRecord(_ kind: Kind, _ body: (any SessionRecord) async throws -> Void) async throws {
        guard kind == .postgres else { return try await body(InMemorySessionRecord()) }
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Migrations").path
        try await PostgresServerFixture.withDatabase { database in
            _ = try await MigrationRunner(client: database.client, directory: directory, logger: .silent).run()
            try await body(PostgresSessionRecord(client: database.client))
        }
    }

    private let session = SessionID.new(at: 1_700_000_000_000_000)
    private let conversation = UniqueID.timeOrdered(at: 1_700_000_000_000_000).description

    private func started(_ session: SessionID, at time: Int64 = 1_700_000_000_123_456, uid: String = "alice")
        -> SessionEvent
    {
        var event = SessionEvent(
            type: .sessionStarted, group: "gateway", uid: uid, session: session, conversation: conversation,
            time: time, ordinal: 0)
        event.codec = "opus"
        event.sampleRate = 16_000
        event.language = "en"
        event.conversationStart = time
        return event
    }

    private func ended(_ session: SessionID, reason: String = "client_closed", at time: Int64 = 1_700_000_100_000_000)
        -> SessionEvent
    {
        var event = SessionEvent(
            type: .sessionEnded, group: "transcript", uid: "alice", session: session, conversation: conversation,
            time: time, ordinal: 9)
        event.reason = reason
        event.audioSeconds = 12.5
        event.frames = 625
        return event
    }

    private func segments(_ texts: [String], first: UInt64, ordinal: UInt64) -> SessionEvent {
        var event = SessionEvent(
            type: .transcriptSegments, group: "transcript", uid: "alice", session: session,
            conversation: conversation, time: 1_700_000_010_000_000, ordinal: ordinal)
        event.firstSegment = first
        event.segments = texts.enumerated().map { index, text in
            let place = first + UInt64(index)
            return TranscriptSegment(
                id: SegmentID.of(session: session, ordinal: place), text: text, start: Double(place),
                end: Double(place) + 0.5, sttProvider: "moonshine-tiny-en", language: "en")
        }
        return event
    }

    @Test("A session is active until its end is written, with what it was opened with", arguments: Kind.allCases)
    func life(kind: Kind) async throws {
        try await withRecord(kind) { record in
            try await record.write([started(session)])
            let active = try await record.sessions(activeOnly: true, user: "alice", limit: 10)
            #expect(active.map(\.id) == [session.description])
            #expect(active.first?.startedAt == 1_700_000_000_123_456)
            #expect(active.first?.codec == "opus")
            try await record.write([ended(session)])
            #expect(try await record.sessions(activeOnly: true, user: nil, limit: 10).isEmpty)
            let all = try await record.sessions(activeOnly: false, user: nil, limit: 10)
            #expect(all.first?.endReason == "client_closed")
            #expect(all.first?.audioSeconds == 12.5)
        }
    }

    @Test("A segment comes back as it was said, with what a back end says of its speaker", arguments: Kind.allCases)
    func speaker(kind: Kind) async throws {
        try await withRecord(kind) { record in
            var event = segments(["one"], first: 0, ordinal: 1)
            var said = try #require(event.segments?.first)
            said.speaker = "SPEAKER_07"
            said.speakerID = 7
            said.isUser = true
            said.personID = "p"
            said.speakerLabelSource = "manual"
            said.speakerMatchSource = "voice"
            said.speakerIdentityStatus = "user"
            said.speakerIDScope = "conversation"
            event.segments = [said]
            try await record.write([started(session), event])
            #expect(try await record.segments(ofSession: session.description) == [said])
        }
    }

    @Test("Writing events again, in one batch or later, changes nothing", arguments: Kind.allCases)
    func idempotent(kind: Kind) async throws {
        try await withRecord(kind) { record in
            let events = [started(session), segments(["one", "two"], first: 0, ordinal: 1), ended(session)]
            try await record.write(events + events)
            try await record.write(events)
            #expect(try await record.segments(ofSession: session.description).map(\.text) == ["one", "two"])
            let talk = try await record.segments(ofConversation: conversation, user: "alice")
            #expect(talk.map(\.text) == ["one", "two"])
            #expect(try await record.segments(ofConversation: conversation, user: "eve").isEmpty)
            #expect(try await record.sessions(activeOnly: false, user: nil, limit: 10).count == 1)
        }
    }

    @Test(
        "M7: an older event never overwrites a newer row, opens no ended session again, and the first end stays",
        arguments: Kind.allCases)
    func order(kind: Kind) async throws {
        try await withRecord(kind) { record in
            try await record.write([segments(["new"], first: 0, ordinal: 5), ended(session)])
            try await record.write([segments(["old"], first: 0, ordinal: 2), ended(session, reason: "gateway_dead")])
            // A deposed coordinator's batch comes last.
            try await record.write([started(session)])
            #expect(try await record.sessions(activeOnly: true, user: nil, limit: 10).isEmpty)
            #expect(try await record.segments(ofSession: session.description).map(\.text) == ["new"])
            #expect(
                try await record.sessions(activeOnly: false, user: nil, limit: 1).first?.endReason == "client_closed")
        }
    }

    @Test("Listings are newest first, bounded, and of one user when asked", arguments: Kind.allCases)
    func listing(kind: Kind) async throws {
        try await withRecord(kind) { record in
            let sessions = (0..<5).map { SessionID.new(at: 1_700_000_000_000_000 + Int64($0) * 1_000_000) }
            for (index, id) in sessions.enumerated() {
                try await record.write([
                    started(
                        id, at: 1_700_000_000_000_000 + Int64(index) * 1_000_000, uid: index % 2 == 0 ? "even" : "odd")
                ])
            }
            #expect(
                try await record.sessions(activeOnly: true, user: nil, limit: 3).map(\.id)
                    == sessions.suffix(3).reversed().map(\.description))
            #expect(try await record.sessions(activeOnly: true, user: "odd", limit: 10).count == 2)
        }
    }

    @Test("Pages follow each other without a gap or a repeat, whatever began in one moment", arguments: Kind.allCases)
    func pages(kind: Kind) async throws {
        try await withRecord(kind) { record in
            // Three in each moment, and two of which only the end is known.
            for index in 0..<9 {
                let time = 1_700_000_000_000_000 + Int64(index / 3) * 1_000_001
                try await record.write([started(SessionID.new(at: time), at: time)])
            }
            for _ in 0..<2 { try await record.write([ended(SessionID.new(at: 1_700_000_000_000_000))]) }
            let all = try await record.sessions(activeOnly: false, user: nil, limit: 100)
            #expect(all.count == 11)
            #expect(all.prefix(2).allSatisfy { $0.startedAt == nil })
            for size in 1...5 {
                var paged: [RecordedSession] = []
                while true {
                    let page = try await record.sessions(
                        activeOnly: false, user: "alice", before: paged.last.map(SessionPlace.init), limit: size)
                    paged += page
                    guard page.count == size else { break }
                }
                #expect(paged == all, "pages of \(size)")
            }
            #expect(try await record.session(all[3].id) == all[3])
            #expect(try await record.session(SessionID.new(at: 1).description) == nil)
        }
    }

    @Test("What a segment says of its speaker is replaced as a whole, also by nothing", arguments: Kind.allCases)
    func speakers(kind: Kind) async throws {
        try await withRecord(kind) { record in
            var event = segments(["one", "two"], first: 0, ordinal: 1)
            event.segments?[0].speaker = "SPEAKER_03"
            event.segments?[0].speakerID = 3
            event.segments?[0].personID = "p-7f3a"
            event.segments?[0].speechProfileProcessed = false
            event.segments?[0].speakerLabelSource = "carried"
            event.segments?[0].speakerMatchSource = "voice"
            event.segments?[0].speakerIdentityStatus = "not_user"
            event.segments?[0].speakerIDScope = "session"
            try await record.write([event])
            #expect(try await record.segments(ofSession: session.description) == event.segments)
            #expect(try await record.segments(ofConversation: conversation, user: "alice") == event.segments)
            let bare = segments(["one, grown"], first: 0, ordinal: 2)
            try await record.write([bare])
            #expect(try await record.segments(ofSession: session.description).first == bare.segments?.first)
        }
    }

    @Test("A segment from before the migration says nothing of its speaker, and may be learnt from")
    func speakersFromBefore() async throws {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Migrations").path
        try await PostgresServerFixture.withDatabase { database in
            _ = try await MigrationRunner(client: database.client, directory: directory, logger: .silent).run()
            // As the version before writes it, also beside this one.
            try await database.client.execute(
                """
                INSERT INTO segments (id, session, conversation, uid, ordinal, revision, start_seconds, end_seconds,
                    text, speaker, speaker_id, is_user, channel)
                VALUES ('s', \(session.description)::uuid, 'c', 'alice', 0, 1, 0, 1, 'one', 'SPEAKER_01', 1, false, 0)
                """)
            let record = PostgresSessionRecord(client: database.client)
            let found = try #require(try await record.segments(ofSession: session.description).first)
            #expect(found.speaker == "SPEAKER_01")
            #expect(found.speechProfileProcessed)
            #expect(found.speakerLabelSource == nil)
            #expect(found.speakerIdentityStatus == nil)
        }
    }

    @Test("Text with every kind of character survives", arguments: Kind.allCases)
    func text(kind: Kind) async throws {
        try await withRecord(kind) { record in
            let texts = ["it's \"quoted\", {braced}; \\ and --", "ünïcode 😀", "NULL", ""]
            try await record.write([segments(texts, first: 0, ordinal: 1)])
            #expect(try await record.segments(ofSession: session.description).map(\.text) == texts)
        }
    }
}
