import NIOCore
import Testing

@testable import EarshotModel

@Suite struct AudioEntryTests {
    private func entry(_ content: AudioEntry.Content) -> AudioEntry {
        AudioEntry(
            session: .new(at: 1_700_000_000_000_000), epoch: 7, firstSequence: 42, firstSample: 13_440,
            sampleCount: 640, captureTime: 1_700_000_000_000_123, flags: [.transcript, .privateCloud], channel: 3,
            language: "pt-BR", content: content)
    }

    @Test("An entry survives encoding and decoding", arguments: [0, 1, 5])
    func roundTrip(frameCount: Int) throws {
        let frames = (0..<frameCount).map { ByteBuffer(repeating: UInt8($0), count: $0 * 100) }
        let original = entry(.frames(frames))
        var buffer = ByteBuffer()
        original.encode(into: &buffer)
        #expect(try AudioEntry(decoding: buffer) == original)
        #expect(original.nextSequence == 42 + UInt64(frameCount))
    }

    @Test("An end marker survives encoding and decoding", arguments: EndReason.allCases)
    func marker(reason: EndReason) throws {
        let original = entry(.end(reason))
        var buffer = ByteBuffer()
        original.encode(into: &buffer)
        #expect(try AudioEntry(decoding: buffer) == original)
    }

    @Test("A batch has the same bytes as the entry it stands for")
    func batchEqualsEntry() throws {
        var batch = FrameBatch()
        let frames = [ByteBuffer(string: "one"), ByteBuffer(string: "three"), ByteBuffer()]
        var sample: UInt64 = 13_440
        for (index, frame) in frames.enumerated() {
            batch.append(
                frame, samples: 320, sequence: 42 + UInt64(index), firstSample: sample,
                captureTime: 1_700_000_000_000_123 + Int64(index) * 20_000)
            sample += 320
        }
        var expected = entry(.frames(frames))
        expected.sampleCount = 960
        expected.channel = 0
        let bytes = batch.close(
            session: expected.session, epoch: 7, flags: expected.flags, language: expected.language)
        #expect(try AudioEntry(decoding: bytes) == expected)
        #expect(batch.isEmpty)
        #expect(batch.byteCount == 0)
    }

    @Test("Every cut of an entry is refused, never a crash")
    func truncation() throws {
        var buffer = ByteBuffer()
        entry(.frames([ByteBuffer(string: "abc"), ByteBuffer(string: "def")])).encode(into: &buffer)
        for length in 0..<buffer.readableBytes {
            let cut = try #require(buffer.getSlice(at: 0, length: length))
            #expect(throws: AudioEntry.DecodingFailure.truncated) { try AudioEntry(decoding: cut) }
        }
    }

    @Test("Random bytes are refused or read, never a crash")
    func randomBytes() {
        for seed in 0..<2_000 {
            var bytes = (0..<(seed % 120)).map { _ in UInt8.random(in: 0...255) }
            if !bytes.isEmpty, seed % 2 == 0 { bytes[0] = AudioEntry.version }
            _ = try? AudioEntry(decoding: ByteBuffer(bytes: bytes))
        }
    }

    @Test("Another version is refused by its number")
    func version() {
        #expect(throws: AudioEntry.DecodingFailure.unknownVersion(9)) {
            try AudioEntry(decoding: ByteBuffer(bytes: [9, 0, 0, 0]))
        }
    }
}
