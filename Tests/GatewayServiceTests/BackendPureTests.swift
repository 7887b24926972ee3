import EarshotModel
import FoundationEssentials
import NIOCore
import Testing

@testable import GatewayService

@Suite struct BackendPureTests {
    /// A message was read as another.
    private struct Unexpected: Error {}

    private func parse(_ bytes: [UInt8]) throws(BackendViolation) -> BackendMessage {
        try BackendMessage(parsing: ByteBuffer(bytes: bytes))
    }

    private func rule(_ bytes: [UInt8]) -> BackendViolation.Rule? {
        do throws(BackendViolation) {
            _ = try parse(bytes)
            return nil
        } catch {
            return error.rule
        }
    }

    @Test("The worked bytes of the contract are read")
    func workedBytes() throws {
        guard case .heartbeat = try parse([0x64, 0, 0, 0]) else { throw Unexpected() }
        guard case .conversation(let name) = try parse([0x67, 0, 0, 0, 0x63, 0x31]) else {
            throw Unexpected()
        }
        #expect(name.text == "c1")
        let audio: [UInt8] = [
            0x65, 0, 0, 0, 0x00, 0x00, 0x10, 0x40, 0xFC, 0x54, 0xD9, 0x41, 0x01, 0x00, 0xFF, 0xFF,
        ]
        guard case .audio(let time, let pcm) = try parse(audio) else { throw Unexpected() }
        #expect(time == 1_700_000_000_250_000)
        #expect(Array(pcm.readableBytesView) == [1, 0, 0xFF, 0xFF])
    }

    @Test("The worked answer of the contract is written")
    func workedAnswer() {
        let request = BackendProcess(conversation: "c1", job: nil, generation: nil)
        let expected = [0xC9, 0, 0, 0] + Array(#"{"conversation_id": "c1", "success": true}"#.utf8)
        #expect(Array(BackendAnswer.completed(request).readableBytesView) == expected)
        let durable = BackendProcess(conversation: "c1", job: "j", generation: 3)
        #expect(
            String(buffer: BackendAnswer.failed(durable, .processingFailed)).hasSuffix(
                #"{"conversation_id": "c1", "error": "processing_failed", "terminal": false, "dispatch_generation": 3}"#
            ))
        #expect(Array(BackendAnswer.timelineAcknowledgement.readableBytesView.prefix(4)) == [0xCA, 0, 0, 0])
    }

    @Test("What breaks a rule is told by the rule")
    func violations() {
        #expect(rule([]) == .header)
        #expect(rule([0x64, 0, 0]) == .header)
        #expect(rule(BackendPeer.message(99, [])) == .opcode)
        #expect(rule(BackendPeer.message(106, [])) == .opcode)
        #expect(rule(BackendPeer.message(101, [1, 2, 3, 4, 5, 6, 7])) == .audio)
        #expect(rule(BackendPeer.message(103, [0xFF, 0xFE])) == .encoding)
        for id in ["", "a/b", "..", ".", ".a", "a..b", "a b", "a\u{0}", "ä", String(repeating: "x", count: 129)] {
            #expect(rule(BackendPeer.message(103, Array(id.utf8))) == .conversation, "\(id)")
        }
        for json in ["[]", "{}", "x", #"{"segments":{}}"#, #"{"segments":[],"memory_id":7}"#] {
            #expect(rule(BackendPeer.message(102, Array(json.utf8))) == .json, "\(json)")
        }
        #expect(rule(BackendPeer.message(102, Array(#"{"segments":[],"memory_id":"a/b"}"#.utf8))) == .conversation)
        #expect(rule(BackendPeer.message(104, Array(#"{"language":"en"}"#.utf8))) == .json)
        let escape = #"{"person_id":"../x","conversation_id":"c1","segment_ids":["s"]}"#
        #expect(rule(BackendPeer.message(105, Array(escape.utf8))) == .json)
        let none = #"{"person_id":"p","conversation_id":"c1","segment_ids":[]}"#
        #expect(rule(BackendPeer.message(105, Array(none.utf8))) == .json)
    }

    @Test("A timestamp that is no time does not trap", arguments: [Double.nan, .infinity, -1, 1e300, 253_402_300_800])
    func noTime(seconds: Double) throws {
        guard case .audio(let time, _) = try parse(BackendPeer.message(101, BackendPeer.stamp(seconds) + [0, 0]))
        else { throw Unexpected() }
        #expect(time == nil)
    }

    @Test("Segments are read leniently")
    func segments() throws {
        let json = """
            {"memory_id": null, "later": 1, "segments": [
              {"id": "s1", "text": "one", "speaker": "SPEAKER_03", "is_user": false, "start": 1, "end": 2.5,
               "person_id": null, "speaker_label_source": "carried", "speaker_match_source": "m",
               "speaker_identity_status": "no_match", "speaker_id_scope": "s",
               "translations": [{"lang": "de", "text": "eins"}]},
              {"text": "two", "speakerId": 4, "is_user": "yes", "start": "x"},
              {"id": "\\u0000", "text": "a\\u0000b", "speaker_id": 99999999999},
              "no segment", {"start": 1}]}
            """
        guard case .transcript(let transcript) = try parse(BackendPeer.message(102, Array(json.utf8))) else {
            throw Unexpected()
        }
        #expect(transcript.malformed == 2)
        #expect(transcript.conversation == nil)
        let session = SessionID.new(at: 0)
        let read = transcript.segments.enumerated().map {
            $1.transcriptSegment(session: session, ordinal: UInt64($0))
        }
        try #require(read.count == 3)
        #expect(read[0].id == "s1")
        #expect(read[0].speakerID == 3)
        #expect(read[0].end == 2.5)
        #expect(read[0].translations == [SegmentTranslation(lang: "de", text: "eins")])
        #expect(read[0].speakerLabelSource == "carried")
        #expect(read[0].speakerMatchSource == "m")
        #expect(read[0].speakerIdentityStatus == "no_match")
        #expect(read[0].speakerIDScope == "s")
        let wire = String(decoding: try JSONEncoder().encode(read[0]), as: UTF8.self)
        for field in [
            "label_source\":\"carried", "match_source\":\"m", "identity_status\":\"no_match", "id_scope\":\"s",
        ] {
            #expect(wire.contains("\"speaker_\(field)\""), "\(wire)")
        }
        #expect(read[1].speakerIdentityStatus == nil)
        #expect(read[1].id == SegmentID.of(session: session, ordinal: 1).description)
        #expect(read[1].speaker == "SPEAKER_04")
        #expect(read[1].start == -1)
        #expect(!read[1].isUser)
        // What Postgres cannot hold must not come as far as the record.
        #expect(read[2].text == "a\u{FFFD}b")
        #expect(read[2].id == SegmentID.of(session: session, ordinal: 2).description)
        #expect(read[2].speakerID == Int(Int32.max))
    }

    @Test(
        "A position that cannot be one is unknown",
        arguments: ["1e300", "1.7e308", "-1e300", "1795251800000", "2678401", "null", "\"x\"", "1e999"])
    func positions(position: String) throws {
        let bad = #"{"text":"a","start":\#(position),"end":\#(position)}"#
        let json = #"{"segments":[\#(bad),{"text":"b","start":3,"end":4}]}"#
        guard case .transcript(let transcript) = try parse(BackendPeer.message(102, Array(json.utf8))) else {
            // Not even JSON to some readers: refused as such.
            return #expect(position == "1e999")
        }
        let read = transcript.segments.map { $0.transcriptSegment(session: .new(at: 0), ordinal: 0) }
        #expect(read.map(\.start) == [-1, 3] && read.map(\.end) == [-1, 4])
    }

    @Test("Keys are compared whole, and short ones are refused")
    func keys() throws {
        #expect(BackendDoor(keys: ["too-short"]) == nil)
        #expect(BackendDoor(keys: ["sixteen characters"]) == nil)
        let door = try #require(BackendDoor(keys: ["0123456789abcdef", "fedcba9876543210"]))
        #expect(door.accepts("0123456789abcdef"))
        #expect(door.accepts("fedcba9876543210"))
        for wrong in [
            "", "0123456789abcde", "0123456789abcdeg", "0123456789abcdef0", "0123456789abcdef0123456789abcdef",
        ] {
            #expect(!door.accepts(wrong))
        }
        #expect(!"\(door)".contains("0123456789abcdef"))
        #expect(!BackendDoor.closed.isOpen)
        #expect(!BackendDoor.closed.accepts(""))
    }

    @Test("A 103 binds, a transcript's conversation only until then")
    func binding() throws {
        let one = try #require(ConversationName("one"))
        let two = try #require(ConversationName("two"))
        var binding = ConversationBinding()
        binding.fallBack(to: one)
        #expect(binding.conversation == one)
        binding.fallBack(to: two)
        #expect(binding.conversation == two)
        let changed = [binding.announce(one), binding.announce(one)]
        #expect(changed == [true, false])
        binding.fallBack(to: two)
        #expect(binding.conversation == one)
    }
}
