import EarshotModel
import SessionRecord
import Testing

/// The account of a session in every state its messages can be in.
@Suite("Ledger: a session's account")
struct SessionAccountTests {
    private typealias Progress = LedgerProgress

    /// A session of 100 messages that is through, and stored in two parts.
    private func settled(_ change: (inout SessionFacts, inout LedgerEntry) -> Void = { _, _ in })
        throws -> SessionAccount
    {
        var registry = LedgerEntry(
            user: "alice", last: 99, endReason: "client_closed", transcript: Progress(next: 100, isDone: true),
            storage: Progress(next: 100, isDone: true))
        var facts = SessionFacts(
            session: "s", row: SessionFacts.Row(uid: "alice", frames: 100, storedNext: 100),
            parts: FrameRanges([0..<60, 60..<100]), segments: 3)
        change(&facts, &registry)
        facts.registry = registry
        return try #require(SessionAccount(facts))
    }

    private func expect(
        _ account: SessionAccount, of messages: UInt64 = 100, stored: UInt64 = 0, notWanted: UInt64 = 0,
        inFlight: [SessionAccount.Place: UInt64] = [:], dead: UInt64 = 0, lost: UInt64 = 0, unaccounted: UInt64 = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(account.messages == messages, sourceLocation: sourceLocation)
        #expect(account.stored == stored, sourceLocation: sourceLocation)
        #expect(account.notWanted == notWanted, sourceLocation: sourceLocation)
        #expect(account.inFlight == inFlight, sourceLocation: sourceLocation)
        #expect(account.dead == dead, sourceLocation: sourceLocation)
        #expect(account.lost.values.reduce(0, +) == lost, sourceLocation: sourceLocation)
        #expect(account.unaccounted == unaccounted, sourceLocation: sourceLocation)
    }

    @Test("Everything stored")
    func stored() throws {
        let account = try settled()
        expect(account, stored: 100)
        #expect(account.segments == 3)
        #expect(account.end == 100)
        #expect(account.repeated == 0)
    }

    @Test("A part's row that is gone is unaccounted")
    func hole() throws {
        expect(try settled { facts, _ in facts.parts = FrameRanges([0..<60]) }, stored: 60, unaccounted: 40)
        expect(try settled { facts, _ in facts.parts = FrameRanges([60..<100]) }, stored: 40, unaccounted: 60)
        expect(try settled { facts, _ in facts.parts = FrameRanges() }, unaccounted: 100)
    }

    @Test("What was acknowledged and what no group has passed before the end is unaccounted")
    func acknowledged() throws {
        expect(try settled { _, registry in registry.last = 109 }, of: 110, stored: 100, unaccounted: 10)
        let native = try settled { facts, registry in
            facts.parts = FrameRanges()
            registry.isStorageWanted = false
            registry.last = 109
        }
        expect(native, of: 110, notWanted: 100, unaccounted: 10)
    }

    @Test("In flight: before a group, parked, or on the way to the record")
    func inFlight() throws {
        let live = try settled { facts, registry in
            facts.row?.isEnded = false
            facts.parts = FrameRanges([0..<60])
            registry.transcript = Progress(next: 80)
            registry.storage = Progress(next: 60)
        }
        expect(live, stored: 60, inFlight: [.privateCloud: 20, .transcript: 20])
        let parked = try settled { facts, registry in
            facts.parts = FrameRanges([0..<60])
            registry.storage = Progress(next: 60, parked: 4)
            registry.isGoneFromStream = true
        }
        expect(parked, stored: 60, inFlight: [.parked: 40])
        let unrecorded = try settled { facts, _ in
            facts.parts = FrameRanges([0..<60])
            facts.isRecordBehind = true
        }
        expect(unrecorded, stored: 60, inFlight: [.record: 40])
        let unknown = try settled { facts, _ in
            facts.row = nil
            facts.parts = FrameRanges()
            facts.isRecordBehind = true
        }
        expect(unknown, inFlight: [.record: 100])
    }

    @Test("What was trimmed away before a group had it is unaccounted")
    func trimmed() throws {
        let account = try settled { facts, registry in
            facts.parts = FrameRanges([0..<60])
            registry.storage = Progress(next: 60)
            registry.isGoneFromStream = true
        }
        expect(account, stored: 60, unaccounted: 40)
    }

    @Test("Without storage what was heard is not wanted, if the record knows the session's end")
    func notWanted() throws {
        let account = try settled { facts, registry in
            facts.parts = FrameRanges()
            registry.isStorageWanted = false
            registry.storage = Progress(isDone: true)
        }
        expect(account, notWanted: 100)
        let withoutEnd = try settled { facts, registry in
            facts.parts = FrameRanges()
            facts.row?.isEnded = false
            registry.isStorageWanted = false
        }
        expect(withoutEnd, unaccounted: 100)
        let withoutRow = try settled { facts, registry in
            facts.parts = FrameRanges()
            facts.row = nil
            registry.isStorageWanted = false
        }
        expect(withoutRow, unaccounted: 100)
    }

    @Test("Dead letters")
    func dead() throws {
        let account = try settled { facts, _ in
            facts.parts = FrameRanges([0..<60, 70..<100])
            facts.dead = FrameRanges([58..<65])
        }
        expect(account, stored: 90, dead: 5, unaccounted: 5)
    }

    @Test("H9: a session that continues another begins where that ended; what the device had given up is lost")
    func resumed() throws {
        let behind = try settled { facts, registry in
            registry.predecessor = .new(at: 1)
            registry.from = 20
            facts.predecessorEnd = 40
        }
        expect(behind, of: 60, stored: 60)
        let hole = try settled { facts, registry in
            registry.predecessor = .new(at: 1)
            registry.first = 50
            registry.from = 50
            facts.predecessorEnd = 40
        }
        expect(hole, of: 60, stored: 50, lost: 10)
        #expect(hole.lost == [.notResent: 10])
    }

    @Test("M12: the tail of a dead gateway is unknown, and nothing else")
    func deadGateway() throws {
        let account = try settled { _, registry in
            registry.endReason = "gateway_dead"
            registry.last = nil
        }
        expect(account, stored: 100)
        #expect(account.hasUnknownTail)
        #expect(try settled().hasUnknownTail == false)
    }

    @Test("A message in two parts counts once, and is told")
    func repeated() throws {
        let account = try settled { facts, _ in facts.parts = FrameRanges([0..<60, 50..<100]) }
        expect(account, stored: 100)
        #expect(account.repeated == 10)
    }

    @Test("From the record alone")
    func recordOnly() throws {
        func account(_ row: SessionFacts.Row, _ parts: [Range<UInt64>] = []) throws -> SessionAccount {
            try #require(SessionAccount(SessionFacts(session: "s", row: row, parts: FrameRanges(parts))))
        }
        let row = SessionFacts.Row(uid: "alice", endReason: "client_closed", frames: 100, storedNext: 100)
        expect(try account(row, [0..<60, 60..<100]), stored: 100)
        expect(try account(row, [0..<60]), stored: 60, unaccounted: 40)
        expect(try account(row), unaccounted: 100)
        expect(try account(SessionFacts.Row(uid: "alice", frames: 100)), notWanted: 100)
        expect(
            try account(SessionFacts.Row(uid: "alice", frames: 100, lostFrames: 7)), of: 107, notWanted: 100, lost: 7)
        let vanished = try account(SessionFacts.Row(uid: "alice", isEnded: false), [0..<60])
        expect(vanished, of: 61, stored: 60, unaccounted: 1)
        #expect(vanished.isVanished)
        let lost = SessionFacts.Row(uid: "alice", endReason: "redis_rollback", lostFrames: 1)
        let forgotten = try account(lost, [0..<60])
        #expect(forgotten.stored == 60 && forgotten.lost == [.redisRollback: 1] && forgotten.unaccounted == 0)
        #expect(SessionAccount(SessionFacts(session: "s")) == nil)
    }
}
