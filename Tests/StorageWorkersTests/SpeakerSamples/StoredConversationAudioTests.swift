import AudioCodecs
import AudioStorage
import AudioStreams
import Crypto
import EarshotModel
import Foundation
import SessionRecord
import Testing

@testable import StorageWorkers

@Suite("Speech out of stored audio")
struct StoredConversationAudioTests {
    private let session = SessionID.new(at: 0)
    private let record = InMemorySessionRecord()
    private let store = InMemoryObjectStore()
    private let handOff = InMemoryHandOff(limits: Limits())
    private let origin: Int64 = 1_700_000_000_000_000

    /// A steady value for some seconds, as a part of the session.
    private func store(
        part: UInt64, value: Int16, seconds: Range<Double>, sampleRate: Int, encryption: AudioEncryption? = nil
    ) async throws {
        let user = try #require(UserID("alice"))
        let count = Int((seconds.upperBound - seconds.lowerBound) * Double(sampleRate))
        var bytes = PCM.littleEndianBytes([Int16](repeating: value, count: count))
        if let encryption {
            bytes = try encryption.encrypt(
                bytes, of: user, named: AudioEncryption.RecordName(session: session, part: part))
        }
        let key = try ObjectKey(["alice", "\(part).batch.\(encryption == nil ? "bin" : "enc")"])
        try await store.put(bytes, at: key, contentType: "x", condition: .always)
        var event = SessionEvent(
            type: .audioStored, group: "private-cloud", uid: "alice", session: session, conversation: "talk",
            time: origin, ordinal: part)
        event.audio = StoredAudioPart(
            part: part, firstSequence: 0, lastSequence: 0, object: key.text, format: .omi,
            isEncrypted: encryption != nil, bytes: bytes.count,
            sha256: SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined(), sampleRate: sampleRate,
            captureStart: origin + Int64(seconds.lowerBound * 1_000_000),
            captureEnd: origin + Int64(seconds.upperBound * 1_000_000),
            seconds: seconds.upperBound - seconds.lowerBound)
        try await record.write([event])
    }

    private func speech(
        _ stretches: [Range<Double>], encryption: AudioEncryption? = nil, session: SessionID? = nil,
        isAnySession: Bool = false
    ) async throws -> StoredSpeech {
        let audio = StoredConversationAudio(
            record: record, reader: StoredAudioReader(store: store, encryption: encryption), handOff: handOff)
        let places = stretches.map { stretch in
            let start = origin + Int64(stretch.lowerBound * 1_000_000)
            let end = origin + Int64(stretch.upperBound * 1_000_000)
            return SpeechStretch(
                sessions: [(session ?? self.session).description], isAnySession: isAnySession, times: start..<end)
        }
        return try await audio.speech(places, of: "talk", user: try #require(UserID("alice")), in: Partition(0))
    }

    @Test("Stretches come at 16 kHz out of parts of any rate, encrypted or not, over their borders")
    func stretches() async throws {
        let encryption = try AudioEncryption(secret: String(repeating: "s", count: 40))
        try await store(part: 0, value: 1_000, seconds: 0..<10, sampleRate: 8_000)
        try await store(part: 1, value: 2_000, seconds: 10..<20, sampleRate: 48_000, encryption: encryption)
        guard case .clips(let clips) = try await speech([2..<3.5, 9..<12], encryption: encryption) else {
            Issue.record("there is audio")
            return
        }
        #expect(clips.map { abs($0.count - 24_000) < 10 || abs($0.count - 48_000) < 10 } == [true, true])
        #expect(abs(Int(clips[0][12_000]) - 1_000) < 20)
        #expect(abs(Int(clips[1][8_000]) - 1_000) < 20)
        #expect(abs(Int(clips[1][32_000]) - 2_000) < 20)
        #expect(try await speech([11..<12]) == .gap, "encrypted, and no secret")
    }

    @Test("What is not stored is a gap, a damaged object too; another session's audio is none of this one's")
    func gaps() async throws {
        #expect(try await speech([0..<1]) == .nothing)
        try await store(part: 0, value: 1_000, seconds: 0..<10, sampleRate: 16_000)
        #expect(try await speech([9..<11]) == .gap)
        #expect(try await speech([1..<2], session: SessionID.new(at: 5)) == .gap)
        guard case .clips(let clips) = try await speech([1..<2], session: SessionID.new(at: 5), isAnySession: true)
        else {
            Issue.record("a back end's audio is the conversation's")
            return
        }
        #expect(clips.map(\.count) == [16_000])
        try await store.put([1, 2, 3], at: ObjectKey("alice/0.batch.bin"), contentType: "x", condition: .always)
        #expect(try await speech([1..<2]) == .gap)
        store.fail(ObjectStoreError(.refused, "403"))
        #expect(try await speech([1..<2]) == .away("403"))
        store.fail(nil)
        try await store.delete(ObjectKey("alice/0.batch.bin"))
        #expect(try await speech([1..<2]) == .vanished)
    }

    @Test("Audio may still come while its session is not through, and not any more behind what is stored")
    func behind() async throws {
        let user = try #require(UserID("alice"))
        _ = try await handOff.register(
            SessionRegistration(
                session: session, user: user, gateway: Incarnation(startingAs: "gateway-0"), now: origin,
                parameters: SessionParameters(codec: .pcm16, sampleRate: 16_000, flags: [.privateCloud])),
            in: Partition(0))
        #expect(try await speech([0..<1]) == .behind)
        try await store(part: 0, value: 1_000, seconds: 0..<10, sampleRate: 16_000)
        #expect(try await speech([9..<11]) == .behind)
        try await store(part: 1, value: 1_000, seconds: 12..<20, sampleRate: 16_000)
        #expect(try await speech([9..<11]) == .gap, "what comes now lies behind it")
        #expect(try await speech([19..<21]) == .behind)
        #expect(try await speech([19..<21], session: SessionID.new(at: 5)) == .gap, "nobody knows that session")
    }
}
