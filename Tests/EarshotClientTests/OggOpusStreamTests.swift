import AudioCodecs
import Foundation
import NIOCore
import Testing

@testable import EarshotClient

@Suite("Ogg Opus files as devices send them", .timeLimit(.minutes(3)))
struct OggOpusStreamTests {
    /// A second of a tone as `opusenc`, an encoder that is not ours, writes it.
    private func file(_ options: [String], channels: Int = 1) throws -> OggOpusFile {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ogg-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let input = directory.appendingPathComponent("tone.raw")
        let output = directory.appendingPathComponent("tone.opus")
        let tone = DeviceStreamTests.tone(sampleRate: 16_000, count: 16_000 * channels)
        try Data(PCM.littleEndianBytes(tone)).write(to: input)
        let encoder = Process()
        encoder.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        encoder.arguments =
            ["opusenc", "--quiet", "--raw", "--raw-rate", "16000", "--raw-chan", "\(channels)"] + options
            + [input.path, output.path]
        try encoder.run()
        encoder.waitUntilExit()
        try #require(encoder.terminationStatus == 0)
        return try OggOpusReader.read([UInt8](try Data(contentsOf: output)))
    }

    private func packets(_ file: OggOpusFile) -> [[UInt8]] { file.links.flatMap(\.packets) }

    @Test("The file's very packets reach the server, from a device that resumes and from one that does not")
    func sent() async throws {
        let file = try file([])
        let stream = try DeviceStream(file)
        #expect(stream.messageCount >= 50)
        let plain = ListenScript()
        try await TestServer.run(plain.script()) { test in
            var configuration = DeviceSessionConfiguration(url: test.url)
            configuration.speed = 0
            configuration.linger = .quiet(.zero, atMost: .zero)
            let report = try await DeviceSession(configuration, stream: stream).run(on: test.group)
            #expect(report.sentMessageCount == stream.messageCount)
        }
        #expect(plain.audio == packets(file))

        let native = ListenScript()
        let script = native.script(
            onOpen: { $0.send(text: #"{"type":"session","session_id":"s","next":0,"ack":"fsynced"}"#) },
            onAudio: { $0.send(text: #"{"type":"ack","next":\#($1),"durability":"fsynced"}"#) })
        try await TestServer.run(script) { test in
            let source = RecordingSource(stream, speed: 0)
            let report = try await DeviceUpload(UploadConfiguration(url: test.url), source: source).run(on: test.group)
            #expect(report.outcome == .completed)
        }
        #expect(native.audio == packets(file))
    }

    @Test(
        "The codec is what the packets are",
        arguments: [("20", 16_000), ("20", 48_000), ("10", 16_000), ("60", 16_000)])
    func codec(milliseconds: String, wireSampleRate: Int) throws {
        let file = try file(["--framesize", milliseconds])
        let stream = try DeviceStream(file, wireSampleRate: wireSampleRate)
        #expect(stream.codec == (milliseconds == "20" && wireSampleRate == 16_000 ? .opusFS320 : .opus))
        var iterator = try stream.prepared().makeIterator()
        let length = Duration.milliseconds(try #require(Int(milliseconds)))
        var count = 0
        while let message = try iterator.next() {
            #expect(message.duration == length)
            #expect(message.offset == length * count)
            count += 1
        }
        #expect(count == packets(file).count)
        #expect(stream.duration == length * count)
    }

    @Test("Two channels are mixed by whoever decodes them")
    func stereo() throws {
        let file = try file([], channels: 2)
        #expect(file.links[0].head.channels == 2)
        var iterator = try DeviceStream(file).makeIterator()
        var decoder = try OpusDecoder(sampleRate: 16_000)
        var decoded: [Int16] = []
        while let message = try iterator.next() {
            #expect(try decoder.decode(message.payload.readableBytesView, into: &decoded) == 320)
        }
        #expect((decoded[8_000..<9_000].map { Int($0).magnitude }.max() ?? 0) > 6_000)
    }

    @Test("A rate Opus does not have, and what is no packet, are errors")
    func refused() throws {
        var file = try file([])
        #expect(throws: AudioCodecError(.invalidArgument, "")) { try DeviceStream(file, wireSampleRate: 44_100) }
        // A packet of frames that its bytes cannot hold.
        file.links[0].packets[3] = [0x0B, 0x30]
        #expect(throws: AudioCodecError(.corruptFile, "")) { try DeviceStream(file) }
    }
}
