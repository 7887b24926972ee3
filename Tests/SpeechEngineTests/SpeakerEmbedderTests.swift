import Foundation
import Testing

@testable import SpeechEngine

@Suite("The speaker model")
struct SpeakerEmbedderTests {
    @Test("The bands are those of Kaldi's own filter bank", arguments: ["speech", "silence", "loud"])
    func filterBank(kind: String) throws {
        var samples = Array(try SpeechFixture.beckett().prefix(48_000))
        if kind == "silence" { samples = [Float](repeating: 0, count: 16_000) }
        if kind == "loud" { samples = samples.map { min(max($0 * 50, -1), 1) } }
        let spectrogram = MelSpectrogram(samples)
        let reference = try PythonFilterBank.frames(of: samples)
        #expect(spectrogram.frameCount == 1 + (samples.count - 400) / 160)
        try #require(reference.count == spectrogram.values.count)
        let distance = zip(reference, spectrogram.values).map { abs($0 - $1) }.max() ?? .infinity
        #expect(distance < 0.05, "the values are logarithms around 10")
        if kind != "silence" { #expect(cosine(reference, spectrogram.values) >= 0.9999) }
    }

    @Test("Embeddings have length 1, and one voice is more like itself than like another")
    func separation() throws {
        let embedder = try SpeakerEmbedder(try SpeechFixture.library())
        let reader = try SpeechFixture.beckett()
        let call = try TestRecordings.telephone()
        func voice(_ samples: [Float], _ seconds: Range<Double>) throws -> [Float] {
            let embedding = try embedder.embedding(
                of: Array(samples[Int(seconds.lowerBound * 16_000)..<Int(seconds.upperBound * 16_000)]))
            #expect(embedding.count == 256)
            #expect(abs(cosine(embedding, embedding) - 1) < 1e-5)
            #expect(abs(embedding.reduce(0) { $0 + $1 * $1 } - 1) < 1e-4)
            return embedding
        }
        let readers = [try voice(reader, 0..<4), try voice(reader, 4..<9)]
        // Who speaks when is in the recording's own description.
        let diane = [try voice(call, 10.8..<14.2), try voice(call, 18.7..<21.4)]
        let sheila = [try voice(call, 14.8..<17.7), try voice(call, 22..<28)]
        for pair in [readers, diane, sheila] { #expect(cosine(pair[0], pair[1]) > 0.45) }
        for (left, right) in [(readers, diane), (readers, sheila), (diane, sheila)] {
            for one in left { for other in right { #expect(cosine(one, other) < 0.5) } }
            #expect(cosine(left[0], right[0]) + 0.1 < cosine(left[0], left[1]))
        }
    }

    @Test("Too little, too much and what is no number is refused with its reason")
    func refusals() throws {
        let embedder = try SpeakerEmbedder(try SpeechFixture.library())
        for count in [0, 7_999, 480_001] {
            let error = try #require(throws: SpeechEngineError.self) {
                try embedder.embedding(of: [Float](repeating: 0.1, count: count))
            }
            #expect(error.code == .invalidAudio)
            #expect(error.message.contains("\(count) samples"))
        }
        var speech = Array(try SpeechFixture.beckett().prefix(16_000))
        speech[77] = .nan
        let error = try #require(throws: SpeechEngineError.self) { try embedder.embedding(of: speech) }
        #expect(error.message.contains("sample 77"))
    }

    @Test("Audio too loud is clamped, and silence is no crash")
    func extremes() throws {
        let embedder = try SpeakerEmbedder(try SpeechFixture.library())
        let speech = Array(try SpeechFixture.beckett().prefix(16_000))
        let clipped = speech.map { min(max($0 * 1_000, -1), 1) }
        let expected = try embedder.embedding(of: clipped)
        #expect(try embedder.embedding(of: speech.map { $0 * 1_000 }) == expected)
        let silent = try embedder.embedding(of: [Float](repeating: 0, count: 16_000))
        #expect(silent.allSatisfy { $0.isFinite })
    }

    @Test("Many threads with one model get what one thread gets")
    func threads() async throws {
        let embedder = try SpeakerEmbedder(try SpeechFixture.library())
        let speech = Array(try SpeechFixture.beckett().prefix(16_000))
        let alone = try embedder.embedding(of: speech)
        try await withThrowingTaskGroup(of: [Float].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await withCheckedThrowingContinuation { continuation in
                        Thread {
                            continuation.resume(with: Result { try embedder.embedding(of: speech) })
                        }.start()
                    }
                }
            }
            for try await embedding in group { #expect(embedding == alone) }
        }
    }

    private func cosine(_ left: [Float], _ right: [Float]) -> Float {
        var product: Float = 0
        var lengths: (Float, Float) = (0, 0)
        for (one, other) in zip(left, right) {
            product += one * other
            lengths.0 += one * one
            lengths.1 += other * other
        }
        return product / (lengths.0 * lengths.1).squareRoot()
    }
}
