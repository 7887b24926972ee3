import SpeechEngine
import Testing

@Suite("The voice activity model")
struct SileroModelTests {
    @Test("Speech is probable where somebody speaks, and silence is not")
    func probabilities() throws {
        let model = try SileroModel(try SpeechFixture.library())
        let speech = try run(model, try SpeechFixture.beckett())
        #expect(try #require(speech.max()) > 0.9)
        #expect(try #require(speech.min()) < 0.1)
        let silence = try run(model, [Float](repeating: 0, count: 32_000))
        #expect(try #require(silence.max()) < 0.3)
    }

    @Test("A window of another length is refused with both numbers", arguments: [0, 511, 513])
    func length(count: Int) throws {
        let model = try SileroModel(try SpeechFixture.library())
        var state = SileroState()
        let error = try #require(throws: SpeechEngineError.self) {
            try model.probability([Float](repeating: 0, count: count)[...], state: &state)
        }
        #expect(error.code == .invalidAudio)
        #expect(error.message.contains("\(count) samples"))
        #expect(error.message.contains("512"))
        #expect(state == SileroState())
    }

    @Test("A value that is no number is refused and leaves the state as it was", arguments: [Float.nan, .infinity])
    func notANumber(value: Float) throws {
        let model = try SileroModel(try SpeechFixture.library())
        var state = SileroState()
        let speech = try SpeechFixture.beckett()
        _ = try model.probability(speech[8_000..<8_512], state: &state)
        let before = state
        var window = Array(speech[8_512..<9_024])
        window[100] = value
        let error = try #require(throws: SpeechEngineError.self) { try model.probability(window[...], state: &state) }
        #expect(error.code == .invalidAudio)
        #expect(state == before)
    }

    @Test("Streams on many threads hear what one stream alone hears")
    func manyStreams() async throws {
        let model = try SileroModel(try SpeechFixture.library())
        let speech = try SpeechFixture.beckett()
        let alone = try run(model, speech)
        try await withThrowingTaskGroup(of: [Float].self) { group in
            for _ in 0..<8 { group.addTask { try run(model, speech) } }
            for try await heard in group { #expect(heard == alone) }
        }
    }

    private func run(_ model: SileroModel, _ samples: [Float]) throws -> [Float] {
        var state = SileroState()
        return try stride(from: 0, through: samples.count - 512, by: 512).map {
            try model.probability(samples[$0..<$0 + 512], state: &state)
        }
    }
}
