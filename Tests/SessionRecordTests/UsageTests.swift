import EarshotModel
import Foundation
import SessionRecord
import TestSupport
import Testing

/// The same expectations for Postgres and for its twin in memory.
@Suite("Usage in the record")
struct UsageTests {
    private let midnight = Int64(20_000) * 86_400_000_000
    private let conversation = UniqueID.timeOrdered(at: 1_700_000_000_000_000).description

    private func withRecord(
        _ kind: SessionRecordTests.Kind, _ body: (any SessionRecord) async throws -> Void
    ) async throws {
        guard kind == .postgres else { return try await body(InMemorySessionRecord()) }
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Migrations").path
        try await PostgresServerFixture.withDatabase { database in
            _ = try await MigrationRunner(client: database.client, directory: directory, logger: .silent).run()
            try await body(PostgresSessionRecord(client: database.client))
        }
    }

    private func usage(
        _ session: SessionID, day: Int32 = 20_000, _ received: Double, _ transcribed: Double, ordinal: UInt64,
        uid: String = "alice"
    ) -> SessionEvent {
        var event = SessionEvent(
            type: .sessionUsage, group: "transcript", uid: uid, session: session, conversation: conversation,
            time: midnight, ordinal: ordinal)
        event.usage = SessionUsage(
            day: UTCDay(number: day), receivedSeconds: received, transcribedSeconds: transcribed)
        return event
    }

    private func stored(_ session: SessionID, part: UInt64, from start: Int64, seconds: Int64) -> SessionEvent {
        var event = SessionEvent(
            type: .audioStored, group: "private-cloud", uid: "alice", session: session, conversation: conversation,
            time: start, ordinal: part)
        event.audio = StoredAudioPart(
            part: part, firstSequence: part * 10, lastSequence: part * 10 + 9, object: "o/\(part)", format: .ogg,
            isEncrypted: false, bytes: 10, sha256: "00", sampleRate: 16_000, captureStart: start,
            captureEnd: start + seconds * 1_000_000, seconds: Double(seconds))
        return event
    }

    @Test(
        "M18: a replay, in one batch or later, and an older total that comes late change nothing",
        arguments: SessionRecordTests.Kind.allCases)
    func replay(kind: SessionRecordTests.Kind) async throws {
        try await withRecord(kind) { record in
            let session = SessionID.new(at: midnight)
            let events = [usage(session, 600, 100, ordinal: 3), usage(session, 900, 150, ordinal: 7)]
            try await record.write(events + events)
            try await record.write(events)
            try await record.write([events[0]])
            let days = try await record.usage(of: "alice")
            #expect(days.map(\.receivedSeconds) == [900])
            #expect(days.map(\.transcribedSeconds) == [150])
            #expect(days.map(\.storedSeconds) == [0])
        }
    }

    @Test(
        "A day is the sum over a user's devices, and of nobody else's", arguments: SessionRecordTests.Kind.allCases)
    func devices(kind: SessionRecordTests.Kind) async throws {
        try await withRecord(kind) { record in
            let (phone, desktop) = (SessionID.new(at: midnight), SessionID.new(at: midnight + 1))
            try await record.write([
                usage(phone, 10, 1, ordinal: 1), usage(desktop, 20, 2, ordinal: 1),
                usage(phone, day: 20_001, 5, 0.5, ordinal: 2),
                usage(SessionID.new(at: midnight + 2), 99, 9, ordinal: 1, uid: "bob"),
                stored(phone, part: 0, from: midnight + 1_000_000, seconds: 7),
            ])
            let days = try await record.usage(of: "alice")
            #expect(days.map(\.day) == ["2024-10-05", "2024-10-04"])
            #expect(days.map(\.receivedSeconds) == [5, 30])
            #expect(days.map(\.transcribedSeconds) == [0.5, 3])
            #expect(days.map(\.storedSeconds) == [0, 7])
            #expect(try await record.usage(of: "nobody").isEmpty)
        }
    }

    @Test(
        "A part that midnight falls into counts for each day as long as it lies in it",
        arguments: SessionRecordTests.Kind.allCases)
    func partOverMidnight(kind: SessionRecordTests.Kind) async throws {
        try await withRecord(kind) { record in
            let session = SessionID.new(at: midnight)
            let parts = [
                stored(session, part: 0, from: midnight - 15_000_000, seconds: 60),
                stored(session, part: 1, from: midnight + 45_000_000, seconds: 60),
            ]
            try await record.write(parts + parts)
            let days = try await record.usage(of: "alice")
            #expect(days.map(\.day) == ["2024-10-04", "2024-10-03"])
            #expect(zip(days, [105.0, 15.0]).allSatisfy { abs($0.storedSeconds - $1) < 0.001 })
        }
    }
}
