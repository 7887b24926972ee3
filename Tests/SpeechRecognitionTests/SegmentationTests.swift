import SpeechEngine
import Testing

@testable import SpeechRecognition

@Suite("Segmentation with the real model")
struct SegmentationTests {
    @Test("The same samples give the same utterances, however they are divided", arguments: [1, 160, 4_000, 0])
    func chunking(size: Int) throws {
        let model = try SpeechClip.voiceActivity()
        let samples = Array(try SpeechClip.twoCities().samples.prefix(18 * 16_000))
        let whole = try StreamRun(samples, model: model, chunk: { samples.count })
        var random = SeededRandom(seed: 7)
        // 0 stands for random sizes, up to more than a whole utterance.
        let divided = try StreamRun(
            samples, model: model, chunk: { size == 0 ? Int.random(in: 1...200_000, using: &random) : size })
        #expect(whole.heard.count >= 3)
        #expect(divided.heard == whole.heard)
        #expect(divided.restarts == whole.restarts)
    }

    @Test("A take-over at every restart point hears the same words at the same places", arguments: [320, 4_000])
    func takeOver(packet: Int) throws {
        let model = try SpeechClip.voiceActivity()
        let transcriber = try Transcriber(try SpeechClip.library())
        let silence = [Float](repeating: 0, count: 11 * 16_000)
        let cities = try SpeechClip.twoCities().samples[..<(18 * 16_000)]
        let sentences = try SpeechClip.librivox().prefix(2).flatMap { $0.samples + silence[..<13_000] }
        let samples = cities + silence + sentences
        let run = try StreamRun(Array(samples), model: model, packet: packet)
        #expect(run.heard.count >= 5)
        #expect(run.quietCount >= 2)
        var texts: [Int: String] = [:]
        for heard in run.heard { texts[heard.start] = try transcriber.transcribe(heard.utterance.samples) }
        for restart in run.restarts {
            let taken = try StreamRun(Array(samples), from: restart, model: model, packet: packet, chunk: { 1_600 })
            let remaining = Array(run.heard.suffix(taken.heard.count))
            #expect(taken.heard.map(\.start) == remaining.map(\.start))
            #expect(run.heard.dropLast(taken.heard.count).allSatisfy { $0.start < restart })
            // Equal samples are equal words: the recogniser keeps nothing between calls.
            #expect(taken.heard.map(\.utterance.samples) == remaining.map(\.utterance.samples))
            if let first = taken.heard.first {
                let text = try transcriber.transcribe(first.utterance.samples)
                #expect(texts[first.start] == text)
                #expect(!text.isEmpty)
            }
        }
    }

    @Test(
        "M11: minutes of silence and of faint noise give no utterance and a restart every 5 s", arguments: [0, 0.001])
    func silence(amplitude: Float) throws {
        var random = SeededRandom(seed: 3)
        let samples = (0..<180 * 16_000).map { _ in
            amplitude == 0 ? 0 : Float.random(in: -amplitude...amplitude, using: &random)
        }
        let run = try StreamRun(samples, model: try SpeechClip.voiceActivity())
        #expect(run.heard.isEmpty)
        #expect(run.quietCount == run.restarts.count)
        for (one, next) in zip([0] + run.restarts, run.restarts) { #expect(next - one <= 5 * 16_000) }
        #expect(try #require(run.restarts.last) > 170 * 16_000)
    }

    @Test("Loud noise and a tone are no speech")
    func noiseAndTone() throws {
        let model = try SpeechClip.voiceActivity()
        var random = SeededRandom(seed: 5)
        let noise = (0..<20 * 16_000).map { _ in Float.random(in: -0.5...0.5, using: &random) }
        #expect(try StreamRun(noise, model: model).heard.isEmpty)
        // A 440 Hz triangle.
        let phases = (0..<20 * 16_000).map { Float($0 * 440 % 16_000) }
        let tone: [Float] = phases.map { abs($0 / 8_000 - 1) - 0.5 }
        #expect(try StreamRun(tone, model: model).heard.isEmpty)
    }

    @Test("Values that are no numbers, and a thousandfold amplitude, pass through as audio")
    func damagedInput() throws {
        let model = try SpeechClip.voiceActivity()
        let transcriber = try Transcriber(try SpeechClip.library())
        let clip = try SpeechClip.beckett()
        var damaged = clip.samples
        for index in stride(from: 0, to: damaged.count, by: 4_000) {
            damaged[index] = index % 8_000 == 0 ? .nan : .infinity
        }
        let run = try StreamRun(damaged, model: model)
        #expect(run.heard.count >= 4)
        for heard in run.heard {
            let text = try transcriber.transcribe(heard.utterance.samples)
            #expect(!text.isEmpty)
        }

        let loud = try StreamRun(clip.samples.map { $0 * 1_000 }, model: model)
        for heard in loud.heard {
            #expect(heard.utterance.samples.allSatisfy { abs($0) <= 1 })
            _ = try transcriber.transcribe(heard.utterance.samples)
        }
    }

    @Test("A reader who makes no pause is cut within 30 s, and the words survive")
    func continuousSpeech() throws {
        let model = try SpeechClip.voiceActivity()
        let transcriber = try Transcriber(try SpeechClip.library())
        let clips = try SpeechClip.librivox()
        // With a pause that never closes, two rounds of the sentences are one utterance of 50 s.
        var policy = SegmentationPolicy.standard
        policy.closingSilence = 60_000
        let samples = (clips + clips).flatMap(\.samples)
        let run = try StreamRun(samples, model: model, policy: policy)
        #expect(run.heard.count >= 2)
        #expect(run.heard.allSatisfy { $0.utterance.samples.count <= 480_000 })
        #expect(run.heard.contains { $0.utterance.samples.count > 20 * 16_000 })
        var errors = WordErrors()
        let text = try run.heard.map { try transcriber.transcribe($0.utterance.samples) }
        errors.add(said: (clips + clips).map(\.words).joined(separator: " "), heard: text.joined(separator: " "))
        #expect(errors.rate <= 0.10, "\(text)")
    }

    @Test("A cut in the middle of a sentence loses nothing: the successor goes on from it")
    func cut() throws {
        let model = try SpeechClip.voiceActivity()
        let transcriber = try Transcriber(try SpeechClip.library())
        let clip = try #require(try SpeechClip.librivox().first)
        var segmenter = SpeechSegmenter(model)
        #expect(try segmenter.feed(clip.samples[..<80_000]) == nil)
        let (utterance, restart) = segmenter.cut()
        let first = try #require(utterance)
        #expect(first.end == restart)
        let rest = try StreamRun(clip.samples, from: restart, model: model)
        let pieces = [first.samples] + rest.heard.map(\.utterance.samples)
        let texts = try pieces.map { try transcriber.transcribe($0) }
        var errors = WordErrors()
        errors.add(said: clip.words, heard: texts.joined(separator: " "))
        #expect(errors.rate <= 0.2)
    }
}
