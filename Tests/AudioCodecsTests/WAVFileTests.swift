import AudioCodecs
import Foundation
import Testing

@Suite("WAV files")
struct WAVFileTests {
    private func code(_ body: () throws -> Void) -> (AudioCodecError.Code?, String) {
        do {
            try body()
            return (nil, "")
        } catch {
            let error = error as? AudioCodecError
            return (error?.code, error?.message ?? "")
        }
    }

    @Test("What is written is read back", arguments: [0, 1, 999])
    func roundTrip(count: Int) throws {
        let samples = Signal.noise(count: count)
        let file = try WAVFile(sampleRate: 16_000, samples: samples)
        let bytes = try file.encoded()
        #expect(bytes.count == 44 + 2 * count)
        #expect(try WAVFile(bytes: bytes) == file)
    }

    @Test("Files are written to and read from disk")
    func storage() throws {
        let path = NSTemporaryDirectory() + "/earshot-wav-\(UUID().uuidString).wav"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try WAVFile(sampleRate: 44_100, samples: Signal.noise(count: 501))
        try file.write(path: path)
        #expect(try WAVFile(path: path) == file)
        let raw = try WAVFile(rawPath: path, sampleRate: 44_100)
        #expect(raw.samples.count == 22 + 501)
    }

    @Test("Missing files, directories and devices are errors that name the path")
    func inaccessible() {
        for path in ["/nonexistent/a.wav", "/tmp", "/dev/zero"] {
            let (code, message) = code { _ = try WAVFile(path: path) }
            #expect(code == .inaccessibleFile)
            #expect(message.contains(path))
        }
        #expect(
            code { try WAVFile(sampleRate: 8_000, samples: [1]).write(path: "/nonexistent/a.wav") }.0
                == .inaccessibleFile)
    }

    @Test("A file over the bound is refused before it is read")
    func tooLarge() throws {
        let path = NSTemporaryDirectory() + "/earshot-wav-\(UUID().uuidString).wav"
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        let handle = try #require(FileHandle(forWritingAtPath: path))
        // A hole: it takes no space.
        try handle.truncate(atOffset: UInt64(WAVFile.bytesMax) + 1)
        try handle.close()
        let (code, message) = code { _ = try WAVFile(path: path) }
        #expect(code == .tooLarge)
        #expect(message.contains("1073741824"))
    }

    @Test("8, 16, 24 and 32 bits and floats mean the same audio", arguments: WAVBytes.Kind.allCases, [true, false])
    func encodings(kind: WAVBytes.Kind, extensible: Bool) throws {
        let samples: [Int16] = [0, 256, -256, 32_512, -32_768]
        var wav = WAVBytes(kind: kind, channels: 1)
        wav.isExtensible = extensible
        wav.data = samples.flatMap(kind.bytes)
        let file = try WAVFile(bytes: wav.encoded())
        #expect(file.samples == samples)
        #expect(file.sampleRate == 16_000)
    }

    @Test("24 and 32 bits are rounded to 16 and limited")
    func rounding() throws {
        var wide = WAVBytes(kind: .integer24, channels: 1)
        wide.data = [0x80, 0, 0, 0x7F, 0, 0, 0xFF, 0xFF, 0x7F, 0, 0, 0x80]
        #expect(try WAVFile(bytes: wide.encoded()).samples == [1, 0, .max, .min])
        var wider = WAVBytes(kind: .integer32, channels: 1)
        wider.data = [0, 0x80, 0, 0, 0xFF, 0xFF, 0xFF, 0x7F]
        #expect(try WAVFile(bytes: wider.encoded()).samples == [1, .max])
    }

    @Test("Channels are averaged or picked")
    func channels() throws {
        var wav = WAVBytes(kind: .integer16, channels: 3)
        wav.data = [300, -600, 900, .max, .max, .max, .min, .min, .min].flatMap(WAVBytes.Kind.integer16.bytes)
        let bytes = wav.encoded()
        let average = try WAVFile(bytes: bytes)
        #expect(average.samples == [200, .max, .min])
        #expect(average.channels == 3)
        #expect(try WAVFile(bytes: bytes, downmix: .channel(1)).samples == [-600, .max, .min])
        for channel in [-1, 3] {
            let (code, message) = code { _ = try WAVFile(bytes: bytes, downmix: .channel(channel)) }
            #expect(code == .invalidArgument)
            #expect(message.contains("0 to 2"))
        }
    }

    @Test("Other chunks are passed over, odd ones with their padding")
    func oddChunks() throws {
        var wav = WAVBytes(kind: .integer16, channels: 1)
        wav.data = [1, 0, 2, 0]
        wav.before = [("LIST", [1, 2, 3]), ("junk", []), ("cue ", [9])]
        wav.after = [("id3 ", [1, 2, 3, 4, 5])]
        #expect(try WAVFile(bytes: wav.encoded()).samples == [1, 2])
    }

    @Test("A length that was never filled in reaches to the end")
    func streamed() throws {
        var wav = WAVBytes(kind: .integer16, channels: 1)
        wav.data = [1, 0, 2, 0]
        wav.declaredData = 0xFFFF_FFFF
        #expect(try WAVFile(bytes: wav.encoded()).samples == [1, 2])
    }

    @Test("Every truncation of a file is an error that says so, never a trap")
    func truncation() throws {
        var wav = WAVBytes(kind: .integer16, channels: 2)
        wav.before = [("LIST", [1, 2, 3])]
        wav.data = [UInt8](repeating: 1, count: 40)
        let bytes = wav.encoded()
        for length in 0..<bytes.count {
            #expect(code { _ = try WAVFile(bytes: [UInt8](bytes.prefix(length))) }.0 == .corruptFile)
        }
        let (_, message) = code { _ = try WAVFile(bytes: [UInt8](bytes.dropLast(4))) }
        #expect(message.contains("data chunk declares 40 bytes, 36 are there"))
    }

    @Test("Random changes to a header never trap")
    func fuzz() {
        var generator = SplitMix(state: 7)
        var wav = WAVBytes(kind: .integer24, channels: 2)
        wav.isExtensible = true
        wav.data = [UInt8](repeating: 1, count: 60)
        let bytes = wav.encoded()
        var failures = 0
        for _ in 0..<3_000 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                changed[Int.random(in: 0..<72, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            if code({ _ = try WAVFile(bytes: changed) }).0 != nil { failures += 1 }
        }
        #expect(failures > 0)
    }

    @Test("Kinds of audio that are not read are refused by name")
    func unsupported() {
        var compressed = WAVBytes(kind: .integer16, channels: 1)
        compressed.tag = 85
        var twelve = WAVBytes(kind: .integer16, channels: 1)
        twelve.bits = 12
        let double = {
            var wav = WAVBytes(kind: .float32, channels: 1)
            wav.bits = 64
            return wav
        }()
        for wav in [compressed, twelve, double] {
            let (code, message) = code { _ = try WAVFile(bytes: wav.encoded()) }
            #expect(code == .unsupportedFormat)
            #expect(message.contains("8, 16, 24 or 32 bits"))
        }
        for channels in [0, 33] {
            let wav = WAVBytes(kind: .integer16, channels: channels)
            #expect(code { _ = try WAVFile(bytes: wav.encoded()) }.0 == .unsupportedFormat)
        }
        for rate in [0, 3_999, 30_000_000] {
            var wav = WAVBytes(kind: .integer16, channels: 1)
            wav.sampleRate = rate
            #expect(code { _ = try WAVFile(bytes: wav.encoded()) }.0 == .unsupportedFormat)
            #expect(code { _ = try WAVFile(sampleRate: rate, samples: []) }.0 == .unsupportedFormat)
        }
    }

    @Test("A header that contradicts itself is refused")
    func contradictions() {
        var block = WAVBytes(kind: .integer16, channels: 2)
        block.blockAlign = 3
        #expect(code { _ = try WAVFile(bytes: block.encoded()) }.0 == .corruptFile)
        var partial = WAVBytes(kind: .integer16, channels: 2)
        partial.data = [1, 2, 3, 4, 5, 6]
        #expect(code { _ = try WAVFile(bytes: partial.encoded()) }.0 == .corruptFile)
        #expect(code { _ = try WAVFile(bytes: [UInt8]("RIFX\0\0\0\0WAVE".utf8)) }.0 == .corruptFile)
        #expect(code { _ = try WAVFile(bytes: [UInt8]("RIFF\0\0\0\0WAVEdata\0\0\0\0".utf8)) }.0 == .corruptFile)
    }

    @Test("Headerless audio is taken as 16-bit little-endian")
    func raw() throws {
        let file = try WAVFile(raw: [1, 0, 0xFF, 0xFF], sampleRate: 8_000)
        #expect(file.samples == [1, -1])
        #expect(file.sampleRate == 8_000)
        #expect(code { _ = try WAVFile(raw: [1], sampleRate: 8_000) }.0 == .corruptPacket)
    }
}
