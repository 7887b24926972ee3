import AudioCodecs
import Testing

@Suite("Opus")
struct OpusTests {
    private static let rates = [8_000, 12_000, 16_000, 24_000, 48_000]

    private func packets(
        of pcm: [Int16], sampleRate: Int, frame: Int, application: OpusEncoder.Application = .restrictedLowDelay
    ) throws -> [[UInt8]] {
        var encoder = try OpusEncoder(
            sampleRate: sampleRate, application: application, bitrate: 32_000, complexity: 3)
        var packets: [[UInt8]] = []
        for start in stride(from: 0, to: pcm.count, by: frame) {
            packets.append(try encoder.encode(pcm[start..<start + frame]))
        }
        return packets
    }

    @Test("Audio comes back with its length and its shape, at every rate", arguments: rates)
    func roundTrip(sampleRate: Int) throws {
        let frame = sampleRate / 50
        let pcm = Signal.sine(440, sampleRate: sampleRate, count: frame * 50)
        var encoder = try OpusEncoder(
            sampleRate: sampleRate, application: .restrictedLowDelay, bitrate: 64_000, complexity: 5)
        var decoder = try OpusDecoder(sampleRate: sampleRate)
        var decoded: [Int16] = []
        for start in stride(from: 0, to: pcm.count, by: frame) {
            let packet = try encoder.encode(pcm[start..<start + frame])
            #expect(try decoder.decode(packet, into: &decoded) == frame)
        }
        #expect(decoded.count == pcm.count)
        // The decoded audio lags by the encoder's lookahead; skip the first frames, in which the codec settles.
        let lag = encoder.lookahead
        let fidelity = Signal.fidelity(of: decoded[(5 * frame)...], to: pcm[(5 * frame - lag)...])
        #expect(fidelity > 15)
    }

    @Test("A decoder takes every legal frame length, mixed in one stream")
    func everyFrameLength() throws {
        var encoder = try OpusEncoder(sampleRate: 16_000, application: .audio, bitrate: 32_000, complexity: 3)
        var decoder = try OpusDecoder(sampleRate: 16_000)
        let lengths = [40, 80, 160, 320, 640, 960, 1_280, 1_600, 1_920]
        for length in lengths {
            var decoded: [Int16] = []
            let packet = try encoder.encode(Signal.sine(300, sampleRate: 16_000, count: length)[...])
            #expect(try decoder.decode(packet, into: &decoded) == length)
            #expect(decoded.count == length)
        }
    }

    @Test("A decoder's rate need not be the encoder's", arguments: rates)
    func otherRate(sampleRate: Int) throws {
        let pcm = Signal.sine(300, sampleRate: 16_000, count: 320)
        let packet = try #require(try packets(of: pcm, sampleRate: 16_000, frame: 320).first)
        var decoder = try OpusDecoder(sampleRate: sampleRate)
        var decoded: [Int16] = []
        #expect(try decoder.decode(packet, into: &decoded) == sampleRate / 50)
    }

    @Test("Decoded samples are appended, and any collection of bytes is taken")
    func appends() throws {
        let pcm = Signal.sine(300, sampleRate: 16_000, count: 320)
        let packet = try #require(try packets(of: pcm, sampleRate: 16_000, frame: 320).first)
        var first = try OpusDecoder(sampleRate: 16_000)
        var second = try OpusDecoder(sampleRate: 16_000)
        var fromArray: [Int16] = [7]
        var fromList: [Int16] = [7]
        try first.decode(packet, into: &fromArray)
        // A lazy map has no contiguous storage.
        try second.decode(packet.lazy.map { $0 }, into: &fromList)
        #expect(fromArray.first == 7)
        #expect(fromArray.count == 321)
        #expect(fromArray == fromList)
    }

    @Test("A reset decoder decodes as a new one does")
    func reset() throws {
        let pcm = Signal.noise(count: 3_200)
        let packets = try packets(of: pcm, sampleRate: 16_000, frame: 160)
        var used = try OpusDecoder(sampleRate: 16_000)
        var ignored: [Int16] = []
        for packet in packets { try used.decode(packet, into: &ignored) }
        used.reset()
        var new = try OpusDecoder(sampleRate: 16_000)
        var afterReset: [Int16] = []
        var fresh: [Int16] = []
        for packet in packets.suffix(10) {
            try used.decode(packet, into: &afterReset)
            try new.decode(packet, into: &fresh)
        }
        #expect(afterReset == fresh)
    }

    @Test("An empty packet is an error, not made-up audio")
    func emptyPacket() throws {
        var decoder = try OpusDecoder(sampleRate: 16_000)
        var decoded: [Int16] = []
        var code: AudioCodecError.Code?
        do { try decoder.decode([], into: &decoded) } catch { code = error.code }
        #expect(code == .corruptPacket)
        #expect(decoded.isEmpty)
    }

    @Test("A packet over the bound is refused by name")
    func oversizedPacket() throws {
        var decoder = try OpusDecoder(sampleRate: 16_000)
        var decoded: [Int16] = []
        var caught: AudioCodecError?
        let packet = [UInt8](repeating: 0, count: OpusDecoder.packetBytesMax + 1)
        do { try decoder.decode(packet, into: &decoded) } catch { caught = error }
        #expect(caught?.code == .tooLarge)
        #expect(caught?.message.contains("65536") == true)
    }

    @Test("Truncated packets throw or decode, and the decoder stays usable")
    func truncatedPackets() throws {
        let pcm = Signal.noise(count: 960)
        let packet = try #require(try packets(of: pcm, sampleRate: 16_000, frame: 960, application: .audio).first)
        var decoder = try OpusDecoder(sampleRate: 16_000)
        for length in 1..<packet.count {
            var decoded: [Int16] = []
            let count = (try? decoder.decode(packet.prefix(length), into: &decoded)) ?? 0
            #expect(decoded.count == count)
        }
        var decoded: [Int16] = []
        #expect(try decoder.decode(packet, into: &decoded) == 960)
    }

    @Test("Random bytes never trap, and an error appends nothing", arguments: rates)
    func randomPackets(sampleRate: Int) throws {
        var generator = SplitMix(state: 42)
        var decoder = try OpusDecoder(sampleRate: sampleRate)
        var failures = 0
        for round in 0..<1_500 {
            let length = round.isMultiple(of: 50) ? 5_000 : Int.random(in: 1...400, using: &generator)
            let packet = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            var decoded: [Int16] = []
            do {
                let count = try decoder.decode(packet, into: &decoded)
                #expect(decoded.count == count)
                #expect(count <= sampleRate * 120 / 1_000)
            } catch {
                failures += 1
                #expect(error.code == .corruptPacket)
                #expect(decoded.isEmpty)
            }
        }
        #expect(failures > 0)
    }

    @Test(
        "Rates that Opus does not have are refused with the list", arguments: [0, -1, 11_025, 44_100, 16_001, 96_000])
    func refusedRates(sampleRate: Int) {
        var messages: [String] = []
        do { _ = try OpusDecoder(sampleRate: sampleRate) } catch { messages.append(error.message) }
        do {
            _ = try OpusEncoder(sampleRate: sampleRate, application: .voip, bitrate: 32_000, complexity: 3)
        } catch {
            messages.append(error.message)
        }
        #expect(messages.count == 2)
        for message in messages { #expect(message.contains("\(sampleRate) Hz") && message.contains("48000")) }
    }

    @Test("An encoder refuses settings outside their ranges")
    func refusedSettings() {
        for (bitrate, complexity) in [(499, 3), (512_001, 3), (32_000, -1), (32_000, 11)] {
            var code: AudioCodecError.Code?
            do {
                _ = try OpusEncoder(
                    sampleRate: 16_000, application: .audio, bitrate: bitrate, complexity: complexity)
            } catch { code = error.code }
            #expect(code == .invalidArgument)
        }
    }

    @Test("An encoder refuses frames of other lengths", arguments: [0, 1, 159, 161, 1_921, 4_000])
    func refusedFrames(count: Int) throws {
        var encoder = try OpusEncoder(sampleRate: 16_000, application: .voip, bitrate: 32_000, complexity: 3)
        var caught: AudioCodecError?
        do { _ = try encoder.encode([Int16](repeating: 0, count: count)[...]) } catch { caught = error }
        #expect(caught?.code == .invalidArgument)
        #expect(caught?.message.contains("160") == true)
    }

    @Test("Firmware settings stay near 32 kbit/s and under the firmware's 160-byte packets")
    func firmwareBitrate() throws {
        let pcm = Signal.noise(count: 16_000)
        let packets = try packets(of: pcm, sampleRate: 16_000, frame: 320)
        #expect(packets.count == 50)
        #expect(packets.allSatisfy { (2...160).contains($0.count) })
        let bits = packets.map(\.count).reduce(0, +) * 8
        #expect((16_000...48_000).contains(bits))
    }
}
