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
        #expect(Set(found.map(\.speaker)).count == 2)
        #expect(strict.rate < 0.11, "\(strict)")
        #expect(lenient.rate < 0.03, "\(lenient)")
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

    @Test("Two people keep their numbers when the call goes on in another session", arguments: [true, false])
    func twoSessions(isContinued: Bool) async throws {
        // Between two turns; the second session begins with whoever spoke second in the first.
        let call = try TelephoneCall.clip().samples
        let cut = Int(21.6 * 16_000)
        let found = try await turns(of: [Array(call[..<cut]), Array(call[cut...])], isContinued: isContinued)
        let error = DiarizationError(reference: try TelephoneCall.turns(), found: found, collar: 0.25)
        let first = found.filter { $0.start < 21.6 }.map(\.speaker)
        let second = found.filter { $0.start >= 21.6 }.map(\.speaker)
        #expect(Set(first) == ["0", "1"])
        #expect(first.first == "0")
        if isContinued {
            #expect(second.first == "1")
            #expect(Set(found.map(\.speaker)).count == 2)
            #expect(error.rate < 0.05, "\(error)")
        } else {
            #expect(second.first == "0")
            #expect(error.rate > 0.2, "\(error)")
        }
    }

    /// The turns of clips that follow one another, as a lane finds them.
    private func turns(in clips: [SpeechClip]) async throws -> [DiarizationError.Turn] {
        let silence = [Float](repeating: 0, count: 16_000)
        return try await turns(of: [clips.flatMap { $0.samples + silence }], isContinued: false)
    }

    /// The same of sessions; in one conversation they go on with each other's speakers.
    private func turns(of sessions: [[Float]], isContinued: Bool) async throws -> [DiarizationError.Turn] {
        let library = try SpeechClip.library()
        let recognizer = EmbeddedRecognizer(library, threads: 2, logger: Logger(label: "test"))
        let voices = try EmbeddedVoices(library, on: recognizer)
        let analysis = VoiceAnalysis(turns: voices, embedder: voices)
        let activity = try SpeechClip.voiceActivity()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await recognizer.run() }
            defer { group.cancelAll() }
            var clusters = SpeakerClusters()
            var turns: [DiarizationError.Turn] = []
            var start = 0
            for samples in sessions {
                clusters = isContinued ? clusters.continued : SpeakerClusters()
                for heard in try StreamRun(samples, model: activity).heard {
                    let utterance = heard.utterance
                    let found = try await analysis.voices(in: utterance)
                    let numbers = clusters.assign(found.voices, .embedded)
                    // A successor decides the same from what a commit carries.
                    clusters = SpeakerClusters(decoding: clusters.encoded)
                    for piece in found.pieces(numbers, of: utterance) {
                        turns.append(
                            DiarizationError.Turn(
                                start: Double(start + heard.start + piece.speech.lowerBound) / 16_000,
                                end: Double(start + heard.start + piece.speech.upperBound) / 16_000,
                                speaker: "\(piece.speaker)"))
                    }
                }
                start += samples.count
            }
            return turns
        }
    }
}
