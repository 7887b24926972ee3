import AudioCodecs
import Testing

@Suite("Ogg Opus")
struct OggOpusTests {
    private func packets(_ count: Int, samples: Int = 320) throws -> [[UInt8]] {
        var encoder = try OpusEncoder(
            sampleRate: 16_000, application: .restrictedLowDelay, bitrate: 32_000, complexity: 3)
        let pcm = Signal.sine(300, sampleRate: 16_000, count: count * samples)
        var packets: [[UInt8]] = []
        for start in stride(from: 0, to: pcm.count, by: samples) {
            packets.append(try encoder.encode(pcm[start..<start + samples]))
        }
        return packets
    }

    private func file(_ packets: [[UInt8]], serial: UInt32 = 7, preSkip: Int = 312, trimming: Int = 0) throws -> [UInt8]
    {
        var writer = try OggOpusWriter(
            serial: serial, head: OggOpusHead(preSkip: preSkip, inputSampleRate: 16_000), comments: ["A=b", "C=ü"])
        for packet in packets {
            writer.append(packet, samples: try #require(OpusPacketLength.samples(of: packet)))
        }
        return writer.finish(trimming: trimming)
    }

    @Test(
        "Packets come back as they went in, with the header, the comments and the length", arguments: [1, 3, 49, 500])
    func roundTrip(count: Int) throws {
        let packets = try packets(count)
        let file = try OggOpusReader.read(try file(packets, trimming: 100))
        let link = try #require(file.links.first)
        #expect(file.links.count == 1 && link.packets == packets && link.serial == 7)
        #expect(link.head.preSkip == 312 && link.head.inputSampleRate == 16_000 && link.comments == ["A=b", "C=ü"])
        #expect(file.samples == count * 960 - 100 - 312)
        #expect(try file.decode(sampleRate: 48_000).count == file.samples)
    }

    @Test("The same packets give the same bytes, another serial number other ones")
    func deterministic() throws {
        let packets = try packets(120)
        #expect(try file(packets) == file(packets))
        #expect(try file(packets) != file(packets, serial: 8))
    }

    @Test("Files behind each other are one file with the sum of their lengths")
    func chained() throws {
        let packets = try packets(100)
        let both = try file(packets, serial: 1) + file(packets, serial: 2, trimming: 480)
        let read = try OggOpusReader.read(both)
        #expect(read.links.map(\.serial) == [1, 2])
        #expect(read.samples == 2 * (96_000 - 312) - 480)
    }

    @Test("A large packet spans pages and comes back")
    func largePacket() throws {
        // Code 3, padded: 20 ms of silence in 30,000 bytes.
        var packet: [UInt8] = [0xFB, 0x41]
        let padding = 29_800
        packet += [UInt8](repeating: 255, count: padding / 254) + [UInt8(padding % 254)]
        packet += [0xFF, 0xFE] + [UInt8](repeating: 0, count: padding)
        #expect(OpusPacketLength.samples(of: packet) == 960)
        let read = try OggOpusReader.read(try file([packet, packet]))
        #expect(read.links.first?.packets == [packet, packet])
    }

    @Test("Damage anywhere is an error or a gap, never a crash")
    func damaged() throws {
        let whole = try file(try packets(60))
        for end in stride(from: 0, to: whole.count, by: 97) {
            #expect(throws: AudioCodecError.self) { try OggOpusReader.read(Array(whole[..<end])) }
        }
        var generator = SplitMix(state: 3)
        for _ in 0..<300 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            guard bytes != whole, let read = try? OggOpusReader.read(bytes) else { continue }
            _ = try read.decode(sampleRate: 16_000)
        }
        #expect(throws: AudioCodecError.self) { try OggOpusReader.read(Array("not an Ogg file at all".utf8)) }
    }

    @Test(
        "Audio of every rate plays exactly as long as it was, and sounds the same",
        arguments: [
            8_000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000,
        ])
    func encoded(rate: Int) throws {
        let pcm = Signal.sine(440, sampleRate: rate, count: rate * 2 + 123)
        var encoder = try OggOpusEncoder(sampleRate: rate, serial: 1, comments: [])
        for start in stride(from: 0, to: pcm.count, by: 777) {
            try encoder.append(pcm[start..<min(pcm.count, start + 777)])
        }
        let file = try OggOpusReader.read(try encoder.finish())
        #expect(file.samples == (pcm.count * 48_000 + rate - 1) / rate)
        let expected = Signal.sine(440, sampleRate: 48_000, count: file.samples)
        let decoded = try file.decode(sampleRate: 48_000)
        #expect(Signal.fidelity(of: decoded[4_800..<90_000], to: expected[4_800..<90_000]) > 7)
    }

    @Test(
        "Silence packets are legal, last as long as asked, and are silent",
        arguments: [120, 240, 480, 960, 3_960, 48_000])
    func silence(samples: Int) throws {
        let packets = OpusSilence.packets(samples: samples)
        #expect(packets.reduce(0) { $0 + (OpusPacketLength.samples(of: $1) ?? 0) } == samples)
        for rate in OpusLibrary.sampleRates {
            var decoder = try OpusDecoder(sampleRate: rate)
            var pcm: [Int16] = []
            for packet in packets { try decoder.decode(packet, into: &pcm) }
            #expect(pcm.count == samples * rate / 48_000)
            #expect(pcm.allSatisfy { $0 == 0 })
        }
    }

    @Test("A packet's structure is checked before its length is believed")
    func lengths() throws {
        #expect(OpusPacketLength.samples(of: []) == nil)
        // Two frames of equal size need an even number of bytes.
        #expect(OpusPacketLength.samples(of: [0xF9, 1, 2]) == 1_920)
        #expect(OpusPacketLength.samples(of: [0xF9, 1]) == nil)
        // 63 frames of 20 ms are more than 120 ms.
        #expect(OpusPacketLength.samples(of: [0xFB, 63] + [UInt8](repeating: 0, count: 63)) == nil)
        #expect(OpusPacketLength.samples(of: [UInt8](repeating: 0xF8, count: OpusDecoder.packetBytesMax + 1)) == nil)
    }
}
