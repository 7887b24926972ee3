import AudioCodecs
import AudioStorage
import EarshotModel
import NIOCore
import Testing

@Suite("Ogg parts")
struct OggPartTests {
    private static let opus: [(AudioCodec, Int, Int)] = [
        (.opusFS320, 16_000, 320), (.opus, 16_000, 160), (.opus, 8_000, 80), (.opus, 12_000, 240), (.opus, 24_000, 960),
        (.opus, 48_000, 120), (.opus, 16_000, 960),
    ]
    private static let pcm: [(AudioCodec, Int, Int)] = [
        (.pcm16, 16_000, 320), (.pcm8, 8_000, 160), (.pcm8, 16_000, 333), (.pcm16, 8_000, 200), (.pcm, 48_000, 960),
        (.pcm16, 44_100, 1_001), (.pcm16, 32_000, 640), (.pcm16, 24_000, 7), (.pcm16, 12_000, 120),
    ]

    @Test(
        "Parts of every codec are sound files that together last exactly as long as the recording",
        arguments: opus + pcm)
    func lengths(codec: AudioCodec, rate: Int, frame: Int) async throws {
        let audio = try DeviceAudio(codec, sampleRate: rate, frameSamples: frame, seconds: 6)
        let cuts = [audio.frames.count / 3, audio.frames.count * 2 / 3]
        let parts = try audio.parts(cutBefore: cuts)
        var seconds = 0.0
        for part in parts {
            let info = try await OpusInfo(part.bytes)
            #expect(info.warnings == [], "\(info.text)")
            #expect(abs(info.seconds - part.timeline.seconds) < 0.002)
            seconds += try OggOpusReader.read(part.bytes).seconds
            #expect(part.corruptFrames == 0)
        }
        #expect(abs(seconds - audio.seconds) < 0.001)
        let whole = parts.flatMap(\.bytes)
        #expect(try OggOpusReader.read(whole).links.count == 3)
        #expect(try await OpusInfo(whole).warnings == [])
    }

    @Test("Opus packets are kept as they came, and a part begins as if its decoder had heard the one before")
    func passedThrough() throws {
        let audio = try DeviceAudio(.opusFS320, sampleRate: 16_000, frameSamples: 320, seconds: 8)
        var decoder = try OpusDecoder(sampleRate: 16_000)
        var continuous: [Int16] = []
        for frame in audio.frames { try decoder.decode(frame.bytes.readableBytesView, into: &continuous) }
        let parts = try audio.parts(cutBefore: [101, 250])
        var played: [Int16] = []
        for part in parts {
            let file = try OggOpusReader.read(part.bytes)
            let decoded = try file.decode(sampleRate: 16_000)
            // 40 ms into a part nothing tells it from the stream that was never cut.
            let settled = played.count + 640
            #expect(
                fidelity(of: decoded[640...], to: continuous[settled..<played.count + decoded.count]) > 20,
                "part \(part.timeline.start)")
            played += decoded
        }
        #expect(played.count == continuous.count)
        let packets = try parts.map { try #require(try OggOpusReader.read($0.bytes).links.first) }
        #expect(
            packets.flatMap { $0.packets.dropFirst(4) } == audio.frames.map { Array($0.bytes.readableBytesView) },
            "80 ms of lead-in, then the device's packets")
    }

    @Test(
        "PCM sounds as it was, where it was",
        arguments: [(AudioCodec.pcm16, 16_000), (.pcm8, 16_000), (.pcm16, 48_000)])
    func encodedOnce(codec: AudioCodec, rate: Int) throws {
        let audio = try DeviceAudio(codec, sampleRate: rate, frameSamples: rate / 50, seconds: 6)
        let played = try audio.parts(cutBefore: [120]).flatMap {
            try OggOpusReader.read($0.bytes).decode(sampleRate: rate)
        }
        #expect(played.count == audio.samples.count)
        #expect(fidelity(of: played[...], to: audio.samples[...]) > 4)
    }

    @Test("Gaps in capture time are silence of their length", arguments: [AudioCodec.opusFS320, .pcm16])
    func gaps(codec: AudioCodec) async throws {
        let audio = try DeviceAudio(
            codec, sampleRate: 16_000, frameSamples: 320, seconds: 4, pauses: [50: 5_012_345, 150: 2_000_000])
        let part = try #require(try audio.parts(cutBefore: []).first)
        let file = try OggOpusReader.read(part.bytes)
        #expect(abs(file.seconds - (audio.seconds + 7.012345)) < 0.005)
        let pcm = try file.decode(sampleRate: 16_000)
        #expect(pcm[(20 * 16_00)..<(59 * 16_00)].allSatisfy { abs($0) < 40 })
        let info = try await OpusInfo(part.bytes)
        #expect(info.warnings == [], "\(info.text)")
    }

    @Test("A gap before a part's first frame is silence at its beginning")
    func leadingGap() throws {
        let audio = try DeviceAudio(
            .opusFS320, sampleRate: 16_000, frameSamples: 320, seconds: 4, pauses: [100: 9_000_000])
        let parts = try audio.parts(cutBefore: [100])
        #expect(abs(try parts.reduce(0) { try $0 + OggOpusReader.read($1.bytes).seconds } - 13) < 0.005)
    }

    @Test("What rounding makes of capture times is no gap; more than a millisecond is one")
    func jitter() throws {
        func seconds(pause: Int64) throws -> Double {
            let audio = try DeviceAudio(.pcm16, sampleRate: 16_000, frameSamples: 320, seconds: 2, pauses: [20: pause])
            return try audio.parts(cutBefore: [])[0].timeline.seconds
        }
        #expect(try seconds(pause: 1_000) == 2)
        #expect(try seconds(pause: 30_000) == 2.03)
    }

    @Test("What is no Opus packet becomes silence of the length it claims, and is counted")
    func corruptPackets() async throws {
        let audio = try DeviceAudio(.opusFS320, sampleRate: 16_000, frameSamples: 320, seconds: 3)
        let encoder = try PartEncoder(audio.specification())
        var claimed = 0
        for (index, frame) in audio.frames.enumerated() {
            // Code 1 with an odd number of bytes; code 3 without its second byte, which claims nothing.
            let bad: [UInt8]? = index == 40 ? [0xB9, 1, 2, 3, 4, 5] : index == 80 ? [0xBB] : nil
            guard let bad else {
                try encoder.append(frame)
                continue
            }
            let samples = AudioCodec.opusFS320.samples(
                first: bad.first, second: bad.dropFirst().first, byteCount: bad.count, sampleRate: 16_000)
            claimed += samples - 320
            try encoder.append(
                PartFrame(
                    sequence: frame.sequence, bytes: ByteBuffer(bytes: bad), samples: samples,
                    captureTime: frame.captureTime))
        }
        let part = try encoder.finish()
        #expect(part.corruptFrames == 2)
        #expect(try OggOpusReader.read(part.bytes).samples == (audio.samples.count + claimed) * 3)
        #expect(try await OpusInfo(part.bytes).warnings == [])
    }

    @Test("A part of nothing but rubbish is still a file")
    func onlyRubbish() async throws {
        let audio = try DeviceAudio(.opus, sampleRate: 16_000, frameSamples: 160, seconds: 1)
        let encoder = try PartEncoder(audio.specification())
        try encoder.append(PartFrame(sequence: 0, bytes: ByteBuffer(bytes: [0xBB]), samples: 0, captureTime: 0))
        let part = try encoder.finish()
        #expect(part.corruptFrames == 1 && part.timeline.samples == 0)
        #expect(try OggOpusReader.read(part.bytes).samples == 0)
        #expect(try await OpusInfo(part.bytes).warnings == [])
    }

    @Test("The bytes depend on the part alone", arguments: [AudioCodec.opus, .pcm8])
    func pure(codec: AudioCodec) throws {
        let audio = try DeviceAudio(codec, sampleRate: 16_000, frameSamples: 160, seconds: 2)
        #expect(try audio.parts(cutBefore: [77]).map(\.bytes) == audio.parts(cutBefore: [77]).map(\.bytes))
    }

    @Test("The lead-in is bounded, whatever the packets are")
    func leadIn() throws {
        let audio = try DeviceAudio(.opus, sampleRate: 48_000, frameSamples: 120, seconds: 1)
        let short = try audio.parts(cutBefore: [])[0].leadOut
        #expect(
            short.reduce(0) { $0 + (OpusPacketLength.samples(of: $1) ?? 0) } == 3_840
                || short.flatMap(\.self).count <= 1_024)
        let large = [UInt8](repeating: 0xF8, count: 1_200)
        #expect(OpusLeadIn.next(after: [large, large]).isEmpty)
    }
}
