import Foundation
import NIOCore
import Testing

@testable import EarshotModel

@Suite struct MessageTests {
    @Test("A live result survives its wire form")
    func liveResult() {
        let result = LiveResult(kind: .final, session: .new(at: 9), ordinal: 4, count: 2, text: "[{\"id\":\"x\"}]\n")
        #expect(LiveResult(decoding: ByteBuffer(string: result.encoded())) == result)
        for bad in ["", "final", "final x 1 1\n", "other \(result.session) 1 1\n", "final \(result.session) a 1\n"] {
            #expect(LiveResult(decoding: ByteBuffer(string: bad)) == nil)
        }
    }

    @Test("A segment has the contract's nulls, and is read without them")
    func segmentNulls() throws {
        let id = SegmentID.of(session: .new(at: 9), ordinal: 0)
        let segment = TranscriptSegment(id: id, text: "x", start: 0, end: 1, sttProvider: nil)
        let data = try JSONEncoder().encode(segment)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        for name in ["person_id", "stt_provider", "speaker_label_source"] { #expect(object[name] is NSNull) }
        #expect(object["language"] == nil)
        #expect(try JSONDecoder().decode(TranscriptSegment.self, from: data) == segment)
        let bare = object.filter { !($0.value is NSNull) }
        let read = try JSONDecoder().decode(
            TranscriptSegment.self, from: try JSONSerialization.data(withJSONObject: bare))
        #expect(read == segment)
    }

    @Test(
        "A client's text is told apart",
        arguments: [
            (#"{"type":"auth","token":"t"}"#, ClientMessage.auth(token: "t")),
            (#"{"type":"auth"}"#, .unknown),
            (#"{"type":"speaker_assigned","speaker_id":1}"#, .ignored(type: "speaker_assigned")),
            (#"{"type":"image_chunk"}"#, .ignored(type: "image_chunk")),
            (#"{"type":7}"#, .unknown), ("[]", .unknown), ("1", .unknown), ("hello", .notJSON), ("", .notJSON),
            (#"{"type":"invented"}"#, .unknown),
        ])
    func clientMessages(text: String, expected: ClientMessage) { #expect(ClientMessage(parsing: text) == expected) }

    @Test(
        "Opus packets say how long they are",
        arguments: [
            (UInt8(0b1_1111_000), nil as UInt8?, 320), (0b1_1110_000, nil, 160), (0b1_1111_001, nil, 640),
            (0b0_0011_000, nil, 960), (0b1_1111_011, 6, 1_920),
        ])
    func opusLength(first: UInt8, second: UInt8?, samples: Int) {
        #expect(OpusPacket.samples(first: first, second: second, sampleRate: 16_000) == samples)
    }

    @Test(
        "Packets that cannot be are told",
        arguments: [
            (nil as UInt8?, nil as UInt8?), (0b1_1111_011, nil), (0b1_1111_011, 0), (0b1_1111_011, 7),
            (0b0_0011_011, 3),
        ])
    func illegalOpus(first: UInt8?, second: UInt8?) {
        #expect(OpusPacket.samples(first: first, second: second, sampleRate: 16_000) == nil)
    }

    @Test("A reason is cut to 123 bytes at a character")
    func reasons() {
        let trimmed = CloseCode.trimmed(String(repeating: "é", count: 100))
        #expect(trimmed.utf8.count == 122)
        #expect(CloseCode.trimmed("short") == "short")
    }

    @Test("A text message of ours escapes what it carries")
    func escaping() {
        #expect(
            ListenMessage.serviceStatus(.ready, text: "a\"b\\")
                == #"{"type":"service_status","status":"ready","status_text":"a\"b\\"}"#)
    }
}
