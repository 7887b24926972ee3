import AudioCodecs
import EarshotClient
import Foundation
import NIOPosix
import TestSupport
import Testing

/// What a real fleet stores of a recording, whatever a device sends it as.
@Suite(.serialized, .timeLimit(.minutes(10))) struct StoredAudioTests {
    private static let recording = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent()
        .appendingPathComponent("../../.cache/speech/moonshine_voice/assets/two_cities.wav").standardized.path
    /// Sent twice as fast as it was spoken, four at a time: what two cores hear and tell apart at once.
    private static let speed = 2.0

    /// More than a minute, so that there is more than one part: 64 s of it, which end in a pause of half a second.
    private func samples() throws -> (samples: [Int16], sampleRate: Int) {
        let file = try WAVFile(path: Self.recording)
        let wanted = file.sampleRate * 64
        let pause = [Int16](repeating: 0, count: file.sampleRate / 2)
        return (Array((file.samples + pause + file.samples).prefix(wanted)) + pause, file.sampleRate)
    }

    private func report(_ fleet: FleetProcess, user: String, _ stream: DeviceStream) async throws -> DeviceReport {
        var configuration = DeviceSessionConfiguration(
            url: "\(fleet.ready.listen)/v4/listen?codec=\(stream.codec.rawValue)&sample_rate=16000")
        configuration.authentication = .header(token: "dev:\(user)")
        configuration.speed = Self.speed
        configuration.linger = .quiet(.seconds(12), atMost: .seconds(180))
        return try await DeviceSession(configuration, stream: stream).run(on: MultiThreadedEventLoopGroup.singleton)
    }

    /// A user's stored files, in the order of their names, which is that of time.
    private func stored(_ fleet: FleetProcess, user: String) -> [String] {
        let root = "\(fleet.directory)/audio/audio/\(user)"
        let names = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(".ogg") }.sorted().map { "\(root)/\($0)" }
    }

    /// Switches storage on, and waits until sessions that begin are stored: the settings come in the order of changes.
    private func storeAudio(of users: [String], in fleet: FleetProcess) async throws {
        for user in users + ["probe"] {
            let changed = try await fleet.earshot(["user", user, "--storage", "on"])
            try #require(changed.status == 0, "\(changed.text)")
        }
        let tone = (0..<8_000).map { Int16($0 % 40 * 200) }
        let stream = try DeviceStream(samples: tone, sampleRate: 16_000, codec: .pcm16)
        try await eventually(within: .seconds(60), "the fleet stores what the probe sends") {
            var configuration = DeviceSessionConfiguration(
                url: "\(fleet.ready.listen)/v4/listen?codec=pcm16&sample_rate=16000")
            configuration.authentication = .header(token: "dev:probe")
            configuration.speed = 0
            _ = try await DeviceSession(configuration, stream: stream).run(on: MultiThreadedEventLoopGroup.singleton)
            return !stored(fleet, user: "probe").isEmpty
        }
    }

    /// How a device sends the recording, and how many words may be heard otherwise in what is stored: none where the
    /// packets are kept, some where PCM is encoded once more, and more on top of the noise of 8 bits (measured: 0, 1.7
    /// and 5.8 %).
    private static let forms: [(codec: DeviceCodec, user: String, errorsMaximum: Double)] = [
        (.opusFS320, "fs320", 0.01), (.opus, "opus", 0.01), (.pcm16, "pcm16", 0.05), (.pcm8, "pcm8", 0.1),
    ]

    @Test("One recording in four codecs: the files are whole, sound to opusinfo, and say what was heard live")
    func codecs() async throws {
        let fleet = try await FleetProcess()
        let (recorded, sampleRate) = try samples()
        try await storeAudio(of: Self.forms.map(\.user), in: fleet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (codec, user, errorsMaximum) in Self.forms {
                let stream = try DeviceStream(samples: recorded, sampleRate: sampleRate, codec: codec)
                group.addTask {
                    try await expectKept(
                        stream, seconds: Double(recorded.count) / Double(sampleRate), of: user, in: fleet,
                        errorsMaximum: errorsMaximum)
                }
            }
            try await group.waitForAll()
        }
        try await fleet.stop()
    }

    @Test("What earshot stream sends of an Ogg Opus file, and of a microphone's pipe, is what is stored")
    func sentAsItIs() async throws {
        let fleet = try await FleetProcess()
        let users = ["ogg-native", "ogg-listen", "pipe"]
        try await storeAudio(of: users, in: fleet)
        let (recorded, sampleRate) = try samples()
        let samples = Array(recorded.prefix(sampleRate * 5))
        let path = "\(fleet.directory)/five"
        try WAVFile(sampleRate: sampleRate, samples: samples).write(path: "\(path).wav")
        let encoded = try await Tool.run(["opusenc", "--quiet", "\(path).wav", "\(path).opus"])
        try #require(encoded.status == 0, "\(encoded.text)")
        let file = try OggOpusReader.read(Array(try Data(contentsOf: URL(fileURLWithPath: "\(path).opus"))))

        for (user, options) in [("ogg-native", ["--native"]), ("ogg-listen", [])] {
            let sent = try await fleet.earshot(
                ["stream", "\(path).opus", "--speed", "0", "--linger", "0", "--json", "--uid", user] + options)
            #expect(sent.status == 0, "\(sent.text)")
            // The lead-in of 80 ms before them is skipped by players.
            let kept = try await played(fleet, user: user).links.flatMap(\.packets).dropFirst(4)
            let packets = file.links.flatMap(\.packets)
            let isKept = Array(kept) == packets
            #expect(isKept, "\(user): \(kept.count) of \(packets.count) packets")
        }
        let raw = "\(path).raw"
        try Data(PCM.littleEndianBytes(samples)).write(to: URL(fileURLWithPath: raw))
        let command = """
            cat '\(raw)' | '\(FleetProcess.binaries)/earshot' stream - --native --sample-rate \(sampleRate) \
            --linger 0 --json --uid pipe --data-dir '\(fleet.directory)'
            """
        let piped = try await Tool.run(["sh", "-c", command])
        #expect(piped.status == 0, "\(piped.text)")
        #expect(abs(try await played(fleet, user: "pipe").seconds - 5) <= 0.02)
        try await fleet.stop()
    }

    /// What is stored of a user who sent less than a part holds.
    private func played(_ fleet: FleetProcess, user: String) async throws -> OggOpusFile {
        let path = try await eventually(within: .seconds(60), "\(user)'s audio is stored") {
            stored(fleet, user: user).first
        }
        return try OggOpusReader.read(Array(try Data(contentsOf: URL(fileURLWithPath: path))))
    }

    private func expectKept(
        _ stream: DeviceStream, seconds: Double, of user: String, in fleet: FleetProcess, errorsMaximum: Double
    ) async throws {
        let live = try await report(fleet, user: user, stream)
        #expect(live.closeCode == 1000)
        let files = try await eventually(within: .seconds(60), "all of \(user) is stored") {
            let files = stored(fleet, user: user)
            return files.count >= 2 ? files : nil
        }
        let bytes = try files.flatMap { Array(try Data(contentsOf: URL(fileURLWithPath: $0))) }
        let played = try OggOpusReader.read(bytes)
        #expect(abs(played.seconds - seconds) <= 0.02, "\(user)")
        try await expectSound(bytes, of: user)
        // The real engine hears it as it heard the device, by the same way.
        let heard = try DeviceStream(
            samples: try played.decode(sampleRate: 16_000), sampleRate: 16_000, codec: .pcm16)
        let again = try await report(fleet, user: "\(user)-again", heard)
        let words = Self.words(live.transcript.text)
        let errors = Self.errors(words, Self.words(again.transcript.text))
        #expect(words.count > 120, "\(user): \(live.transcript.text)")
        #expect(Double(errors) <= Double(words.count) * errorsMaximum, "\(user): \(again.transcript.text)")
    }

    /// All files of a recording behind each other, as opusinfo, an independent reader, sees them.
    private func expectSound(_ bytes: [UInt8], of user: String) async throws {
        let path = "/tmp/earshot-stored-\(UUID().uuidString).ogg"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let told = try await Tool.run(["opusinfo", path])
        #expect(told.status == 0, "\(user): \(told.text)")
        let complaints = told.text.split(separator: "\n").filter {
            $0.uppercased().contains("WARNING") || $0.uppercased().contains("ERROR")
        }
        #expect(complaints.isEmpty, "\(user): \(complaints)")
        #expect(told.text.contains("Playback length"))
    }

    // MARK: Words

    private static func words(_ text: String) -> [Substring] {
        Substring(text.lowercased()).split { !$0.isLetter && !$0.isNumber && $0 != "'" }
    }

    /// Words to insert, leave out or replace to make one text of the other.
    private static func errors(_ one: [Substring], _ other: [Substring]) -> Int {
        var row = Array(0...other.count)
        for (index, word) in one.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, candidate) in other.enumerated() {
                let above = row[column + 1]
                row[column + 1] = min(above + 1, row[column] + 1, diagonal + (word == candidate ? 0 : 1))
                diagonal = above
            }
        }
        return row[other.count]
    }
}
