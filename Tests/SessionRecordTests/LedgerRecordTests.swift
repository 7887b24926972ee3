import EarshotModel
import Foundation
import PostgresClient
import SessionRecord
import TestSupport
import Testing

/// What the ledger reads from Postgres.
@Suite("Ledger: the record")
struct LedgerRecordTests {
    private let time = Int64(1_700_000_000_000_000)

    private func event(_ session: SessionID, _ type: SessionEvent.Kind, ordinal: UInt64 = 0) -> SessionEvent {
        SessionEvent(
            type: type, group: "g", uid: "alice", session: session, conversation: "c", time: time, ordinal: ordinal)
    }

    private func stored(_ session: SessionID, part: UInt64, _ frames: ClosedRange<UInt64>) -> SessionEvent {
        var event = event(session, .audioStored, ordinal: part + 1)
        event.audio = StoredAudioPart(
            part: part, firstSequence: frames.lowerBound, lastSequence: frames.upperBound, object: "o/\(part)",
            format: .ogg, isEncrypted: false, bytes: 10, sha256: "00", sampleRate: 16_000, captureStart: time,
            captureEnd: time + 1, seconds: 1)
        return event
    }

    @Test("Rows, parts and chains by session; a part's row that is deleted is missed")
    func facts() async throws {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Migrations").path
        try await PostgresServerFixture.withDatabase { database in
            _ = try await MigrationRunner(client: database.client, directory: directory, logger: .silent).run()
            let record = PostgresSessionRecord(client: database.client)
            let ids = (0..<3).map { SessionID.new(at: time + Int64($0) * 1_000) }.map(\.description).sorted()
            let sessions = ids.compactMap { SessionID($0) }
            var ended = event(sessions[0], .sessionEnded, ordinal: 9)
            ended.reason = "connection_lost"
            ended.frames = 100
            ended.lostFrames = 5
            var continued = event(sessions[1], .sessionStarted)
            continued.predecessor = ids[0]
            let events = [
                event(sessions[0], .sessionStarted), stored(sessions[0], part: 0, 0...59),
                stored(sessions[0], part: 1, 60...99), ended, continued,
            ]
            try await record.write(events)
            // A replay in another order changes nothing.
            try await record.write([events[1], events[3]])

            let all = try await record.ledgerFacts(of: ids)
            let first = try #require(all[ids[0]])
            #expect(
                first.row
                    == SessionFacts.Row(
                        uid: "alice", endReason: "connection_lost", frames: 100, lostFrames: 5, storedNext: 100))
            #expect(first.parts.ranges == [0..<100])
            #expect(all[ids[1]]?.row == SessionFacts.Row(uid: "alice", predecessor: ids[0], isEnded: false))
            #expect(all[ids[2]] == SessionFacts(session: ids[2]))
            #expect(SessionAccount(first)?.unaccounted == 0)
            #expect(try await record.successor(of: ids[0]) == ids[1])
            #expect(try await record.successor(of: ids[1]) == nil)
            #expect(try await record.ledgerPage(after: nil, limit: 1) == [ids[0]])
            #expect(try await record.ledgerPage(after: ids[0], limit: 5) == [ids[1]])

            _ = try await database.client.query("DELETE FROM audio_parts WHERE part = 1")
            let later = try #require(try await record.ledgerFacts(of: [ids[0]])[ids[0]])
            #expect(SessionAccount(later)?.unaccounted == 40)

            // Holes within a part are not stored; a dead letter accounts for what it is.
            var holed = stored(sessions[0], part: 1, 60...99)
            holed.missingFrames = [70...79, 85...85]
            try await record.write([holed])
            var facts = try #require(try await record.ledgerFacts(of: [ids[0]])[ids[0]])
            #expect(facts.parts.ranges == [0..<70, 80..<85, 86..<100])
            facts.dead = FrameRanges([70..<78])
            let account = try #require(SessionAccount(facts))
            #expect(account.stored == 89 && account.dead == 8 && account.unaccounted == 3)
        }
    }
}
