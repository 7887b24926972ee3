import Foundation
import SpeechEngine

@testable import SpeechRecognition

/// Recorded speech with its words, and the real engine; what is missing fails the test with the command to run.
struct SpeechClip: Sendable {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    let name: String
    let words: String
    /// Mono at 16 kHz.
    let samples: [Float]

    static let engineDirectory: String = {
        if let directory = ProcessInfo.processInfo.environment["EARSHOT_SPEECH_DIR"], !directory.isEmpty {
            return directory
        }
        let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        return file.deletingLastPathComponent().appendingPathComponent("../../.cache/speech").standardized.path
    }()

    static func library() throws -> SpeechEngineLibrary {
        try SpeechEngineLibrary.load(try SpeechEngineFiles(directory: engineDirectory))
    }

    static func voiceActivity() throws -> SileroVoiceActivity {
        SileroVoiceActivity(try SileroModel(try library()))
    }

    /// The opening of "A Tale of Two Cities" (1859), as it is read in the clip.
    static func twoCities() throws -> SpeechClip {
        let words = """
            It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of \
            foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it \
            was the season of Darkness, it was the spring of hope, it was the winter of despair, we had everything \
            before us, we had nothing before us, we were all going direct to Heaven, we were all going direct \
            the other way. In short, the period was so far like the present period, that some of its noisiest \
            authorities insisted on its being received, for good or for evil, in the superlative degree of comparison \
            only.
            """
        return SpeechClip(name: "two_cities", words: words, samples: try citiesSamples.get())
    }

    // Filtered once: it takes a second in a debug build.
    private static let citiesSamples = Result { decimated(try bundled("two_cities.wav")) }

    /// Six short phrases with pauses, 16 kHz.
    static func beckett() throws -> SpeechClip {
        SpeechClip(
            name: "beckett", words: "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.",
            samples: try bundled("beckett.wav"))
    }

    /// Five sentences of "Sense and Sensibility" by a LibriVox reader; the transcription's "a more a" is not spoken.
    static func librivox() throws -> [SpeechClip] {
        try [
            (
                "0870",
                "And mister John Dashwood had then leisure to consider how much there might be prudently in his power "
                    + "to do for them."
            ), ("0880", "He was not an ill disposed young man,"),
            ("0890", "unless to be rather cold hearted and rather selfish is to be ill disposed."),
            (
                "0920",
                "Had he married a more amiable woman, he might have been made still more respectable than he was."
            ), ("0930", "He might even have been made amiable himself."),
        ].map { (number, words) in
            SpeechClip(
                name: number, words: words,
                samples: try pocketsphinx("librivox/sense_and_sensibility_01_austen_64kb-\(number).wav", header: 44))
        }
    }

    /// Short commands.
    static func commands() throws -> [SpeechClip] {
        [
            SpeechClip(name: "cards 1", words: "ten of clubs", samples: try pocketsphinx("cards/001.wav", header: 44)),
            SpeechClip(
                name: "cards 5", words: "eight of spades four of clubs seven of hearts",
                samples: try pocketsphinx("cards/005.wav", header: 44)),
            SpeechClip(
                name: "goforward", words: "go forward ten meters", samples: try pocketsphinx("goforward.raw", header: 0)
            ),
        ]
    }

    private static func bundled(_ name: String) throws -> [Float] {
        try samples(
            engineDirectory + "/moonshine_voice/assets/" + name, header: 44,
            remedy: "run `earshot setup` (or scripts/fetch-speech)")
    }

    private static func pocketsphinx(_ path: String, header: Int) throws -> [Float] {
        try samples(
            "/usr/share/pocketsphinx/test/data/" + path, header: header,
            remedy: "run `apt-get install pocketsphinx-testdata`")
    }

    // All files are 16-bit mono with a plain header, or with none.
    private static func samples(_ path: String, header: Int, remedy: String) throws -> [Float] {
        guard let contents = FileManager.default.contents(atPath: path) else {
            throw Missing(description: "\(path) is missing; \(remedy)")
        }
        let bytes = [UInt8](contents.dropFirst(header))
        return stride(from: 0, to: bytes.count - 1, by: 2).map { index in
            Float(Int16(bitPattern: UInt16(bytes[index]) | UInt16(bytes[index + 1]) << 8)) / 32_768
        }
    }

    // 48 to 16 kHz: a windowed sinc that cuts at 7.2 kHz, taken at every third sample.
    private static func decimated(_ samples: [Float]) -> [Float] {
        let half = 24
        let taps = (-half...half).map { offset -> Float in
            let x = Double(offset)
            let sinc = offset == 0 ? 0.3 : sin(0.3 * .pi * x) / (.pi * x)
            return Float(sinc * (0.5 + 0.5 * cos(.pi * x / Double(half + 1))))
        }
        return stride(from: 0, to: samples.count, by: 3).map { center in
            var sum: Float = 0
            for index in max(center - half, 0)...min(center + half, samples.count - 1) {
                sum += samples[index] * taps[index - center + half]
            }
            return sum
        }
    }
}
