import EarshotModel
import Foundation
import SpeechRecognition
import Testing

@testable import TranscriptWorker

@Suite("Speakers of a session", .timeLimit(.minutes(5)))
struct SpeakerLabelTests {
    private let lanes = TranscriptWorkerTests()
    /// Soft, loud, a change within one utterance, then both again, short and long.
    private let audio = Bursts.pcm([
        (2_500, 900, false), (2_500, 900, true), (2_500, 0, false), (2_500, 900, true), (600, 900, true),
        (3_000, 900, false),
    ])

    private func labelling(_ voices: [KnownVoice] = [], models: LoudnessVoices = .init()) -> SpeakerLabelling {
        SpeakerLabelling(analysis: VoiceAnalysis(turns: models, embedder: models), voices: { _, _ in voices })
    }

    private func segments(
        _ labelling: SpeakerLabelling?, flags: WorkerFlags = .transcript, abandonAfter: [Int] = [],
        messages: MessageLog? = nil
    ) async throws -> [TranscriptSegment] {
        try await lanes.segments(
            of: audio, frameBytes: 640, framesAnEntry: 12, flags: flags, recognizer: WordRecognizer(),
            abandonAfter: abandonAfter, labelling: labelling, messages: messages)
    }

    @Test("Each segment names its speaker, and an utterance of two is two segments at their times")
    func numbers() async throws {
        let found = try await segments(labelling())
        #expect(found.map(\.speakerID) == [0, 1, 0, 1, 1, 0])
        #expect(found.map(\.speaker).prefix(2) == ["SPEAKER_00", "SPEAKER_01"])
        #expect(found.allSatisfy { !$0.isUser && $0.personID == nil })
        #expect(Set(found.map(\.id)).count == 6)
        #expect(abs(found[2].end - 9.3) < 0.1)
        #expect(abs(found[3].start - 9.3) < 0.1)
        let words = found.map { Set($0.text.split(separator: " ")) }
        #expect(words == [["soft"], ["loud"], ["soft"], ["loud"], ["loud"], ["soft"]])
    }

    @Test("The words are those of each utterance heard in one go, however it is divided")
    func words() async throws {
        let apart = try await segments(labelling()).map(\.text).joined(separator: " ")
        let whole = try await segments(nil).map(\.text).joined(separator: " ")
        #expect(apart == whole)
    }

    @Test("Voices that come late are not waited for: the text goes out as the last speaker's")
    func late() async throws {
        let models = LoudnessVoices(delay: .seconds(600), textDelayMax: .milliseconds(1))
        let found = try await segments(labelling(models: models))
        #expect(found.count == 5)
        #expect(found.allSatisfy { $0.speakerID == 0 && !$0.text.isEmpty })
    }

    @Test("Workers that die in between change neither numbers nor words", arguments: [[1], [2, 3], [1, 2, 4, 5]])
    func takeOver(abandonAfter: [Int]) async throws {
        let reference = try await segments(labelling())
        let found = try await segments(labelling(), abandonAfter: abandonAfter)
        #expect(found.map(\.speakerID) == reference.map(\.speakerID))
        #expect(found.map(\.text) == reference.map(\.text))
    }

    @Test("Taught voices are named: the owner as the user, others by their id; the device is told once each")
    func known() async throws {
        let voices = [
            KnownVoice(person: KnownVoice.owner, name: "Me", embedding: LoudnessVoices.soft, engine: "loudness"),
            KnownVoice(person: "bob", name: "Bob \"B\"", embedding: LoudnessVoices.loud, engine: "loudness"),
        ]
        let messages = MessageLog()
        let found = try await segments(labelling(voices), messages: messages)
        #expect(found.map(\.isUser) == [true, false, true, false, false, true])
        #expect(found.map(\.personID) == [nil, "bob", nil, "bob", "bob", nil])
        let texts = messages.results.map(\.text)
        try #require(texts.count == 2)
        let bob = try #require(try JSONSerialization.jsonObject(with: Data(texts[1].utf8)) as? [String: Any])
        #expect(bob["type"] as? String == "speaker_label_suggestion")
        #expect(bob["speaker_id"] as? Int == 1)
        #expect(bob["person_id"] as? String == "", "unless the device asked for ids")
        #expect(bob["person_name"] as? String == "Bob \"B\"")
        #expect(bob["segment_id"] as? String == found[1].id)
        #expect(bob.count == 5)
    }

    @Test("A device that asked for ids gets them")
    func assigns() async throws {
        let voices = [KnownVoice(person: "bob", name: "Bob", embedding: LoudnessVoices.loud, engine: "loudness")]
        let messages = MessageLog()
        _ = try await segments(labelling(voices), flags: [.transcript, .speakerAutoAssign], messages: messages)
        #expect(messages.results.map(\.text).contains { $0.contains("\"person_id\":\"bob\"") })
    }

    @Test("Words come although voices cannot be compared, or speakers are switched off", arguments: [true, false])
    func without(isBroken: Bool) async throws {
        let found = try await segments(isBroken ? labelling(models: LoudnessVoices(isBroken: true)) : nil)
        #expect(found.count == 5)
        #expect(found.allSatisfy { $0.speakerID == 0 })
    }

    @Test("A state without speakers is read, and one with them is small")
    func state() throws {
        var point = RestartPoint()
        point.sample = 77
        #expect(try TranscriptState(decoding: point.encoded) == TranscriptState(restart: point))
        #expect(point.encoded.count == RestartPoint.encodedLength)
        var speakers = SpeakerClusters()
        _ = speakers.assign(
            [HeardVoice(window: 0, bit: 0, soloCount: 48_000, embedding: LoudnessVoices.soft)], .embedded)
        let state = TranscriptState(restart: point, speakers: speakers)
        #expect(try TranscriptState(decoding: state.encoded) == state)
        #expect(try RestartPoint(decoding: state.encoded) == point, "a worker that knows no speakers")
    }
}
