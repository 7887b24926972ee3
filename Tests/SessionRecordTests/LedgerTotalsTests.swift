import EarshotModel
import Foundation
import PostgresClient
import SessionRecord
import TestSupport
import Testing

/// The ledger's totals are the sum of the accounts.
@Suite("Ledger: totals of the record")
struct LedgerTotalsTests {
    private let time = Int64(1_700_000_000_000_000)

    private func event(_ session: SessionID, _ type: SessionEvent.Kind, ordinal: UInt64 = 0) -> SessionEvent {
        SessionEvent(
            type: type, group: "g", uid: "alice", session: session, conversation: "c", time: time, ordinal: ordinal)
    }

    /// A session that ended.
    private func session(
        _ number: Int64, frames: UInt64, lost: UInt64 = 0, after predecessor: SessionID? = nil,
        parts: [ClosedRange<UInt64>] = []
    ) -> (id: SessionID, events: [SessionEvent]) {
        let id = SessionID.new(at: time + number * 1_000)
        var started = event(id, .sessionStarted)
        started.predecessor = predecessor?.description
        var events = [started]
        for (index, range) in parts.enumerated() {
            var stored = event(id, .audioStored, ordinal: UInt64(index) + 1)
            stored.audio = StoredAudioPart(
                part: UInt64(index), firstSequence: range.lowerBound, lastSequence: range.upperBound,
                object: "o/\(number)/\(index)", format: .ogg, isEncrypted: false, bytes: 10, sha256: "00",
                sampleRate: 16_000, captureStart: time, captureEnd: time + 1, seconds: 1)
            events.append(stored)
        }
        var ended = event(id, .sessionEnded, ordinal: 99)
        ended.time = time + number * 1_000_000
        ended.reason = "client_closed"
        ended.frames = frames
        ended.lostFrames = lost
        return (id, events + [ended])
    }

    @Test("Stored, lost, on the way and missing; only of sessions that ended lately, and of no more than asked for")
    func totals() async throws {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Migrations").path
        try await PostgresServerFixture.withDatabase { database in
            _ = try await MigrationRunner(client: database.client, directory: directory, logger: .silent).run()
            let record = PostgresSessionRecord(client: database.client)
            #expect(try await record.ledgerTotals(endedSince: time, limit: 100) == LedgerTotals())

            let whole = session(1, frames: 100, parts: [0...59, 50...99])
            let unheard = session(2, frames: 40)
            // It began at 105 of its chain: 5 were given up, and 200...204 are not stored yet.
            var next = session(3, frames: 100, lost: 5, after: whole.id, parts: [105...159, 160...199])
            next.events[1].missingFrames = [105...109]
            var holed = session(4, frames: 100, parts: [0...19, 30...39, 40...99])
            // Three lie within a part, and are not in it.
            holed.events[3].missingFrames = [50...50, 98...99]
            let open = event(SessionID.new(at: time + 9_000), .sessionStarted)
            try await record.write(whole.events + unheard.events + next.events + holed.events + [open])
            var expected = LedgerTotals(
                sessions: 4, stored: 100 + 90 + 87, notStored: 40, inFlight: 5, notResent: 5, unaccounted: 5 + 13)
            #expect(try await record.ledgerTotals(endedSince: time, limit: 100) == expected)

            // The rows of a session's last part, and of all its parts, go.
            _ = try await database.client.query(
                "DELETE FROM audio_parts WHERE session = \(whole.id.description)::uuid AND part = 1")
            _ = try await database.client.query(
                "DELETE FROM audio_parts WHERE session = \(next.id.description)::uuid")
            expected = LedgerTotals(
                sessions: 4, stored: 60 + 87, notStored: 40, inFlight: 0, notResent: 5, unaccounted: 40 + 100 + 13)
            #expect(try await record.ledgerTotals(endedSince: time, limit: 100) == expected)

            let newest = LedgerTotals(sessions: 1, stored: 87, unaccounted: 13)
            #expect(try await record.ledgerTotals(endedSince: time, limit: 1) == newest)
            #expect(try await record.ledgerTotals(endedSince: time + 4_000_000, limit: 100) == newest)
            #expect(try await record.ledgerTotals(endedSince: time + 4_000_001, limit: 100) == LedgerTotals())
        }
    }
}
