import Foundation
import SpeechEngine
import Testing

@Suite("A transcriber")
struct TranscriberTests {
    @Test("Speech becomes its words, the same on every call and in every copy")
    func words() throws {
        let library = try SpeechFixture.library()
        let speech = Array(try SpeechFixture.beckett().prefix(74_000))
        let transcriber = try Transcriber(library)
        let text = try transcriber.transcribe(speech)
        #expect(text.lowercased().contains("ever tried"))
        #expect(text.lowercased().contains("no matter"))
        #expect(try transcriber.transcribe(speech) == text)
        #expect(try Transcriber(library).transcribe(speech) == text)
        #expect(library.version.contains("1.23.2"))
    }

    @Test(
        "A value that is no number is refused with its position, and the next call is not disturbed",
        arguments: [Float.nan, .infinity, -.infinity])
    func notANumber(value: Float) throws {
        let transcriber = try Transcriber(try SpeechFixture.library())
        let speech = Array(try SpeechFixture.beckett().prefix(24_000))
        let text = try transcriber.transcribe(speech)
        var damaged = speech
        damaged[1_234] = value
        let error = try #require(throws: SpeechEngineError.self) { try transcriber.transcribe(damaged) }
        #expect(error.code == .invalidAudio)
        #expect(error.message.contains("sample 1234"))
        #expect(try transcriber.transcribe(speech) == text)
    }

    @Test("More than 30 s are refused with both numbers, 30 s are taken")
    func tooLong() throws {
        let transcriber = try Transcriber(try SpeechFixture.library())
        let error = try #require(throws: SpeechEngineError.self) {
            try transcriber.transcribe([Float](repeating: 0, count: Transcriber.sampleCountMax + 1))
        }
        #expect(error.code == .invalidAudio)
        #expect(error.message.contains("480001"))
        #expect(error.message.contains("480000"))
        _ = try transcriber.transcribe([Float](repeating: 0, count: Transcriber.sampleCountMax))
    }

    @Test("Next to nothing gives no text", arguments: [0, 1, 500])
    func tooShort(count: Int) throws {
        let transcriber = try Transcriber(try SpeechFixture.library())
        #expect(try transcriber.transcribe([Float](repeating: 0.1, count: count)).isEmpty)
    }

    @Test("Audio a thousand times too loud is clamped like audio that clips")
    func tooLoud() throws {
        let transcriber = try Transcriber(try SpeechFixture.library())
        let speech = Array(try SpeechFixture.beckett().prefix(24_000))
        let clipped = speech.map { min(max($0 * 1_000, -1), 1) }
        #expect(try transcriber.transcribe(speech.map { $0 * 1_000 }) == transcriber.transcribe(clipped))
    }

    @Test("Copies that come and go do not disturb calls on other threads")
    func comingAndGoing() async throws {
        let library = try SpeechFixture.library()
        let speech = Array(try SpeechFixture.beckett().prefix(24_000))
        let expected = try Transcriber(library).transcribe(speech)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    try await onThread {
                        let transcriber = try Transcriber(library)
                        for _ in 0..<6 { #expect(try transcriber.transcribe(speech) == expected) }
                    }
                }
            }
            group.addTask {
                try await onThread { for _ in 0..<4 { _ = try Transcriber(library) } }
            }
            try await group.waitForAll()
        }
    }

    private func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { continuation in
            Thread { continuation.resume(with: Result(catching: body)) }.start()
        }
    }
}
