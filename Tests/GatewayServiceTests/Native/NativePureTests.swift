import AudioStreams
import EarshotModel
import Testing

@testable import GatewayService

@Suite struct NativePureTests {
    @Test("A promise names the level that is given, never more")
    func promise() {
        var ledger = AckLedger(wanted: .fsynced, next: 10, first: 4)
        ledger.received = 30
        ledger.appended(below: 20)
        #expect(ledger.promise(store: .memory, isStoring: true) == .init(next: 20, durability: .redis))
        #expect(ledger.promise(store: .disk, isStoring: true) == .init(next: 20, durability: .fsynced))
        #expect(ledger.isOwed(ledger.promise(store: .disk, isStoring: true)))
        #expect(ledger.promise(store: .diskLater, isStoring: true) == .init(next: 4, durability: .fsynced))
        ledger.onDisk(below: 15)
        #expect(ledger.promise(store: .diskLater, isStoring: true) == .init(next: 15, durability: .fsynced))
        ledger.appended(below: 30)
        #expect(!ledger.isOwed(ledger.promise(store: .disk, isStoring: true)))
        ledger.appended(below: 25)
        #expect(ledger.appended == 30)
    }

    @Test("Who waits for stored audio begins where he had it, and gets the store's level when nothing is stored")
    func stored() {
        var ledger = AckLedger(wanted: .stored, next: 10, first: 4)
        #expect(ledger.promise(store: .disk, isStoring: true) == .init(next: 4, durability: .stored))
        ledger.stored(below: 8)
        #expect(ledger.promise(store: .disk, isStoring: true) == .init(next: 8, durability: .stored))
        #expect(ledger.promise(store: .disk, isStoring: false) == .init(next: 10, durability: .fsynced))
    }

    @Test("A chain's audio is stored only as far as every older session's is")
    func chain() {
        let ids = (0..<3).map { SessionID(UniqueID(high: 1, low: UInt64($0))) }
        var chain = StoredChain(ids[2])
        chain.precede(ids[1], end: 20)
        chain.precede(ids[0], end: 10)
        #expect(chain.current == ids[0])
        #expect(chain.progressed(to: 7, isDone: false) == 7)
        #expect(chain.progressed(to: 11, isDone: false) == 10)
        #expect(chain.current == ids[1])
        #expect(chain.progressed(to: nil, isDone: false) == nil)
        #expect(chain.progressed(to: 15, isDone: true) == 20)
        #expect(chain.current == ids[2])
        chain.succeed(ids[0], from: 40)
        #expect(chain.current == ids[2])
        #expect(chain.progressed(to: 40, isDone: false) == 40)
        #expect(chain.current == ids[0])
        #expect(chain.progressed(to: 50, isDone: false) == 50)
    }

    @Test("Audio kept over a cut keeps its pace and its place in time")
    func capture() {
        var clock = CaptureClock(sampleRate: 16_000, gapMinimum: .seconds(2))
        clock.resume(at: 1_000_000, now: 11_000_000)
        // Ten seconds that were kept come at once.
        for second in 0..<10 {
            #expect(clock.advance(samples: 16_000, arrival: 11_000_000) == Int64(1 + second) * 1_000_000)
        }
        #expect(clock.advance(samples: 16_000, arrival: 12_000_000) == 11_000_000)
        // The device pauses: its own gap counts again.
        #expect(clock.advance(samples: 16_000, arrival: 22_000_000) == 21_000_000)
    }

    @Test("Results are told in the words of the endpoint")
    func results() {
        let session = SessionID(UniqueID(high: 1, low: 2))
        func text(_ kind: LiveResult.Kind, _ text: String) -> String? {
            NativeMessage.result(LiveResult(kind: kind, session: session, ordinal: 0, count: 1, text: text))
        }
        #expect(
            text(.final, "[{}]")
                == #"{"type":"segment","session_id":"\#(session)","final":true,"segments":[{}]}"#)
        #expect(text(.interim, "[]")?.contains(#""final":false"#) == true)
        #expect(text(.withdrawn, "x") == "x")
        #expect(
            text(.message, #"{"type":"speaker_label_suggestion"}"#)
                == #"{"type":"speaker","suggestion":{"type":"speaker_label_suggestion"}}"#)
        #expect(
            text(.message, #"{"type":"notification"}"#)
                == #"{"type":"notification","event":{"type":"notification"}}"#)
        #expect(text(.taken, "") == nil)
    }
}
