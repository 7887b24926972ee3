import AudioCodecs
import AudioStorage
import EarshotModel
import Foundation
import NIOCore
import TestSupport

/// Real speech as a device sends it.
struct DeviceAudio {
    let codec: AudioCodec
    let sampleRate: Int
    /// What was spoken, at the device's rate.
    let samples: [Int16]
    let frames: [PartFrame]

    /// Unix µs at which the recording begins.
    static let start: Int64 = 1_760_000_000_123_456

    /// Speech cut into frames of so many samples; `pause` µs of silence lie before the frame with a number.
    init(
        _ codec: AudioCodec, sampleRate: Int, frameSamples: Int, seconds: Double,
        pauses: [Int: Int64] = [:]
    ) throws {
        let count = Int(seconds * Double(sampleRate)) / frameSamples
        let samples = try Self.speech(sampleRate: sampleRate, count: count * frameSamples)
        var encoder =
            codec.isOpus
            ? try OpusEncoder(
                sampleRate: sampleRate, application: .restrictedLowDelay, bitrate: 32_000, complexity: 3) : nil
        var pause: Int64 = 0
        self.frames = try (0..<count).map { index in
            pause += pauses[index] ?? 0
            let slice = samples[index * frameSamples..<(index + 1) * frameSamples]
            let bytes: [UInt8] =
                switch codec {
                case .opus, .opusFS320: try encoder?.encode(slice) ?? []
                case .pcm8: PCM.narrow8(slice)
                case .pcm16, .pcm: PCM.littleEndianBytes(slice)
                }
            return PartFrame(
                sequence: UInt64(index), bytes: ByteBuffer(bytes: bytes), samples: frameSamples,
                captureTime: Self.start + pause + Int64(index * frameSamples) * 1_000_000 / Int64(sampleRate))
        }
        self.codec = codec
        self.sampleRate = sampleRate
        self.samples = samples
    }

    var seconds: Double { Double(samples.count) / Double(sampleRate) }

    /// The opening of "A Tale of Two Cities", over and over.
    static func speech(sampleRate: Int, count: Int) throws -> [Int16] {
        let spoken = try cities.get()
        var samples: [Int16] = []
        var resampler = try Resampler(from: 48_000, to: sampleRate)
        while samples.count < count {
            let missing = (count - samples.count + 480) * 48_000 / sampleRate
            resampler.process(spoken.prefix(missing), into: &samples)
            if missing < spoken.count { resampler.flush(into: &samples) }
        }
        return Array(samples.prefix(count))
    }

    private static let cities = Result { () throws -> [Int16] in
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("../../../.cache/speech").standardized.path
        let directory = ProcessInfo.processInfo.environment["EARSHOT_SPEECH_DIR"] ?? root
        return try WAVFile(path: directory + "/moonshine_voice/assets/two_cities.wav").samples
    }

    /// What a part of this recording is described by.
    func specification(
        part: UInt64 = 0, format: StoredAudioPart.Format = .ogg, isEncrypted: Bool = false, start: Int64? = nil,
        leadIn: [[UInt8]] = []
    ) -> PartSpecification {
        guard let user = UserID("alice") else { preconditionFailure("alice is a user id") }
        return PartSpecification(
            session: SessionID(UniqueID(high: 0x1234, low: 0x5678)), user: user,
            conversation: "0199d6a0-0000-7000-8000-000000000001", part: part, codec: codec, sampleRate: sampleRate,
            format: format, isEncrypted: isEncrypted, start: start ?? frames.first?.captureTime ?? 0, leadIn: leadIn)
    }

    /// The recording cut before some frames, each part encoded with what the one before hands on.
    func parts(cutBefore cuts: [Int], format: StoredAudioPart.Format = .ogg) throws -> [EncodedPart] {
        var parts: [EncodedPart] = []
        for (first, end) in zip([0] + cuts, cuts + [frames.count]) {
            let encoder = try PartEncoder(
                specification(
                    part: UInt64(parts.count), format: format,
                    start: parts.last?.timeline.end ?? frames[first].captureTime, leadIn: parts.last?.leadOut ?? []))
            for frame in frames[first..<end] { try encoder.append(frame) }
            parts.append(try encoder.finish())
        }
        return parts
    }
}

/// What opusinfo, an independent reader, says of a file.
struct OpusInfo {
    let text: String
    /// Seconds of all streams together.
    let seconds: Double

    init(_ bytes: [UInt8]) async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("opusinfo-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appendingPathComponent("part.ogg").path
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        let output = directory.appendingPathComponent("output").path
        let process = try ChildProcess(["opusinfo", file], output: output)
        try await eventually("opusinfo ends", isTrue: { !process.isRunning })
        text = try String(contentsOfFile: output, encoding: .utf8)
        // `Playback length: 1m:02.500s`
        seconds = text.split(separator: "\n").reduce(0) { sum, line in
            guard let range = line.firstRange(of: "Playback length: ") else { return sum }
            let parts = line[range.upperBound...].dropLast().split(separator: "m:")
            return sum + (Double(parts.first ?? "") ?? .nan) * 60 + (Double(parts.last ?? "") ?? .nan)
        }
    }

    var warnings: [String] {
        text.split(separator: "\n").filter { $0.uppercased().contains("WARNING") || $0.contains("rror") }.map(
            String.init)
    }
}

/// The power of a signal over that of its difference from another, in dB.
func fidelity(of other: ArraySlice<Int16>, to signal: ArraySlice<Int16>) -> Double {
    var power = 0.0
    var difference = 0.0
    for (left, right) in zip(signal, other) {
        power += Double(left) * Double(left)
        difference += (Double(left) - Double(right)) * (Double(left) - Double(right))
    }
    return 10 * log10(max(power, 1) / max(difference, 1e-9))
}
