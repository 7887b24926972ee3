import AudioCodecs
import EarshotClient
import Foundation
import TestSupport

/// What a device says: sentences of human speech in an order of its own, behind tones that tell its number.
struct Recording: Sendable {
    static let sampleRate = 16_000
    private static let corpus = "/usr/share/pocketsphinx/test/data/librivox"
    private static let names = ["0870", "0880", "0890", "0920", "0930"]
    private static let toneHertz = [350.0, 440, 560, 700, 850, 1_000, 1_200, 1_400]
    private static let toneSamples = 1_600
    private static let toneDigits = 5

    let index: Int
    let codec: DeviceCodec
    let stream: DeviceStream
    let samples: [Int16]
    /// Its packets for the native endpoint, when the device uses that.
    var native: NativeRecording?

    /// Whether a device of a run is a native one: a third of them are.
    static func isNative(_ index: Int) -> Bool { index % 3 == 2 }

    /// Makes the recordings of some devices; each is different.
    static func make(count: Int, sentences: Int) throws -> [Recording] {
        let clips = try names.map { name in
            try WAVFile(path: "\(corpus)/sense_and_sensibility_01_austen_64kb-\(name).wav").samples
        }
        return try (0..<count).map { index in
            var random = SeededGenerator(seed: UInt64(index))
            let order = clips.indices.shuffled(using: &random).prefix(sentences)
            var samples = tones(index) + silence(0.6)
            for clip in order { samples += clips[clip] + silence(1.0) }
            // Packets can be found again in what is stored; samples cannot, for they are encoded on the way.
            let codec: DeviceCodec = index.isMultiple(of: 2) || isNative(index) ? .opusFS320 : .pcm16
            let stream = try DeviceStream(
                samples: samples, sampleRate: sampleRate, codec: codec, wireSampleRate: sampleRate
            ).prepared()
            return Recording(
                index: index, codec: codec, stream: stream, samples: samples,
                native: isNative(index) ? try NativeRecording(stream) : nil)
        }
    }

    /// A recording without speech, which costs the recogniser little, in packets of 100 ms, which cost everybody
    /// little: for runs that need many sessions.
    static func quiet(seconds: Double) throws -> Recording {
        let samples = tones(0) + silence(max(1, seconds))
        let stream = try DeviceStream(
            samples: samples, sampleRate: sampleRate, codec: .opus, wireSampleRate: sampleRate,
            messageDuration: .milliseconds(100)
        ).prepared()
        return Recording(index: 0, codec: .opus, stream: stream, samples: samples)
    }

    /// Base-8 digits of the number, most significant first, one tone each.
    private static func tones(_ index: Int) -> [Int16] {
        (0..<toneDigits).reversed().flatMap { digit in
            let hertz = toneHertz[(index >> (3 * digit)) & 7]
            return (0..<toneSamples).map { Int16(3_000 * sin(2 * .pi * hertz * Double($0) / Double(sampleRate))) }
        }
    }

    private static func silence(_ seconds: Double) -> [Int16] {
        [Int16](repeating: 0, count: Int(seconds * Double(sampleRate)))
    }
}
