import Logging
import Testing

@testable import SpeechRecognition

@Suite("Recorded speech through segmenter and recogniser", .serialized)
struct RecognitionTests {
    @Test("LibriVox sentences have at most 6 % word errors")
    func librivox() async throws {
        let clips = try SpeechClip.librivox()
        let texts = try await texts(of: clips, threads: 2)
        var errors = WordErrors()
        for (clip, text) in zip(clips, texts) { errors.add(said: clip.words, heard: text) }
        #expect(errors.words > 60)
        #expect(errors.rate <= 0.06, "\(errors.errors) of \(errors.words) words: \(texts)")
    }

    @Test("The opening of A Tale of Two Cities has at most 12 % word errors")
    func twoCities() async throws {
        let clip = try SpeechClip.twoCities()
        let text = try #require(try await texts(of: [clip], threads: 2).first)
        var errors = WordErrors()
        errors.add(said: clip.words, heard: text)
        #expect(errors.words == 119)
        #expect(errors.rate <= 0.12, "\(errors.errors) of \(errors.words) words: \(text)")
    }

    @Test("Ten streams at once on two threads get the text that each gets alone")
    func manyStreams() async throws {
        let clips = try SpeechClip.librivox() + SpeechClip.commands() + [SpeechClip.beckett(), SpeechClip.twoCities()]
        #expect(clips.count == 10)
        let alone = try await texts(of: clips, threads: 1, interleaved: false)
        let together = try await texts(of: clips, threads: 2)
        #expect(together == alone)
        #expect(alone.allSatisfy { !$0.isEmpty })
    }

    @Test("Word errors are counted as substitutions, insertions and deletions")
    func wordErrors() {
        var errors = WordErrors()
        errors.add(said: "Mister Dash-wood, it's so.", heard: "mr dash wood its so so")
        #expect(errors.words == 5)
        #expect(errors.errors == 2)
        #expect(WordErrors.distance(["a", "b", "c"], ["a", "c"]) == 1)
        #expect(WordErrors.distance([], ["a"]) == 1)
    }

    // The text of each clip, each a stream of its own that ends a second after the clip.
    private func texts(of clips: [SpeechClip], threads: Int, interleaved: Bool = true) async throws -> [String] {
        let model = try SpeechClip.voiceActivity()
        let recognizer = EmbeddedRecognizer(
            try SpeechClip.library(), threads: threads, logger: Logger(label: "test"))
        #expect(recognizer.name == "moonshine-tiny-en")
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await recognizer.run() }
            let texts: [String]
            if interleaved {
                texts = try await withThrowingTaskGroup(of: (Int, String).self) { streams in
                    for (index, clip) in clips.enumerated() {
                        streams.addTask { (index, try await text(of: clip, model, recognizer)) }
                    }
                    return try await streams.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
                        .sorted { $0.key < $1.key }.map(\.value)
                }
            } else {
                var each: [String] = []
                for clip in clips { each.append(try await text(of: clip, model, recognizer)) }
                texts = each
            }
            group.cancelAll()
            try await group.waitForAll()
            return texts
        }
    }

    private func text(
        of clip: SpeechClip, _ model: SileroVoiceActivity, _ recognizer: EmbeddedRecognizer
    ) async throws -> String {
        let run = try StreamRun(clip.samples + [Float](repeating: 0, count: 16_000), model: model)
        var texts: [String] = []
        for heard in run.heard {
            texts.append(try await recognizer.transcribe(heard.utterance.samples, priority: .final))
        }
        return texts.joined(separator: " ")
    }
}
