import Logging
import Testing

@testable import SpeechRecognition

@Suite("Speakers of real recordings", .timeLimit(.minutes(5)))
struct DiarizationTests {
    @Test("Two people on the telephone are told apart, turn by turn")
    func telephone() async throws {
        let found = try await turns(in: [try TelephoneCall.clip()])
        let reference = try TelephoneCall.turns()
        let strict = DiarizationError(reference: reference, found: found, collar: 0)
        let lenient = DiarizationError(reference: reference, found: found, collar: 0.25)
        print("diarization error: \(strict), without 0.25 s around each change: \(lenient)")
        print("rates: \(strict.rate), \(lenient.rate)")
        #expect(Set(found.map(\.speaker)).count == 2)
        #expect(strict.rate < 0.12)
        #expect(lenient.rate < 0.06)
    }

    @Test("A reader is one speaker, however long, and another is another")
    func readers() async throws {
        let reader = try await turns(in: [try SpeechClip.twoCities()])
        #expect(Set(reader.map(\.speaker)) == ["0"])
        let both = try await turns(in: [try SpeechClip.beckett()] + (try SpeechClip.librivox()))
        #expect(Set(both.map(\.speaker)) == ["0", "1"])
        let change = try #require(both.firstIndex { $0.speaker == "1" })
        #expect(both[change...].allSatisfy { $0.speaker == "1" })
    }

    /// The turns of clips that follow one another, as a lane finds them.
    private func turns(in clips: [SpeechClip]) async throws -> [DiarizationError.Turn] {
        let library = try SpeechClip.library()
        let recognizer = EmbeddedRecognizer(library, threads: 2, logger: Logger(label: "test"))
        let voices = try EmbeddedVoices(library, on: recognizer)
        let analysis = VoiceAnalysis(turns: voices, embedder: voices)
        let silence = [Float](repeating: 0, count: 16_000)
        let run = try StreamRun(clips.flatMap { $0.samples + silence }, model: try SpeechClip.voiceActivity())
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await recognizer.run() }
            defer { group.cancelAll() }
            var clusters = SpeakerClusters()
            var turns: [DiarizationError.Turn] = []
            for heard in run.heard {
                let utterance = heard.utterance
                let found = try await analysis.voices(in: utterance)
                let numbers = clusters.assign(found.voices, .embedded)
                // A successor decides the same from what a commit carries.
                clusters = SpeakerClusters(decoding: clusters.encoded)
                for piece in found.pieces(numbers, of: utterance) {
                    turns.append(
                        DiarizationError.Turn(
                            start: Double(heard.start + piece.speech.lowerBound) / 16_000,
                            end: Double(heard.start + piece.speech.upperBound) / 16_000, speaker: "\(piece.speaker)"))
                }
            }
            return turns
        }
    }
}
