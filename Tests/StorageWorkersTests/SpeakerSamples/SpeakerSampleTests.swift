import AudioCodecs
import AudioStorage
import AudioStreams
import EarshotModel
import Foundation
import Logging
import SessionRecord
import SpeechEngine
import SpeechRecognition
import TestSupport
import Testing

@testable import StorageWorkers

@Suite("Learning voices", .timeLimit(.minutes(5)))
struct SpeakerSampleTests {
    private let text = "one two three four five six"

    /// Twenty seconds of a steady voice.
    private let audio = [Int16](repeating: 5_000, count: 320_000)

    private func fixture(_ engine: ScriptedEngine = ScriptedEngine()) async throws -> SampleFixture {
        try await SampleFixture(recognizer: engine, embedder: engine)
    }

    @Test("A real reader's voice is learnt from real speech, and is known again")
    func real() async throws {
        let library = try SpeechEngineLibrary.load(SpeechEngineFiles(directory: Self.engineDirectory))
        let recognizer = EmbeddedRecognizer(library, threads: 2, logger: .silent)
        let embedded = try EmbeddedVoices(library, on: recognizer)
        let fixture = try await SampleFixture(recognizer: recognizer, embedder: embedded)
        let (samples, segments) = try Self.reading(fixture)
        try await fixture.store(samples)
        fixture.voices.add(fixture.conversation, of: fixture.user, segments)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await recognizer.run() }
            defer { tasks.cancelAll() }
            let request = fixture.request(Array(segments.prefix(3)))
            let result = try await fixture.outcome(of: request)
            #expect(result.outcome == .stored)
            let key = "alice/people_profiles/bob/\(request.id).wav"
            #expect(result.object == key)
            #expect((10.0...30.0).contains(try #require(result.seconds)))
            let file = try WAVFile(bytes: try await fixture.store.get(ObjectKey(key), bytesMaximum: 1 << 20))
            #expect(file.sampleRate == 16_000)
            #expect(abs(Double(file.samples.count) / 16_000 - (result.seconds ?? 0)) < 0.01)
            let voice = try #require(try await fixture.voices.voice(of: "bob", user: fixture.user))
            #expect(voice.voice.name == "Bob")
            #expect(voice.voice.engine == SpeakerEmbedder.modelName)
            // The sentence that was not asked for is the same reader.
            let other = try #require(segments.last)
            let start = Int(other.segment.start * 16_000)
            let heard = try await embedded.embedding(of: PCM.floats(Array(samples[start..<start + 40_000])))
            #expect(VoiceThresholds.likeness(heard, voice.voice.embedding) > VoiceThresholds.embedded.same)
        }
    }

    @Test(
        "Every reason to refuse is told by its name, and nothing is stored",
        arguments: [
            (SpeakerSampleResult.Outcome.disabled, 0), (.personMissing, 1), (.conversationMissing, 2), (.noAudio, 3),
            (.noAuthorizedSegments, 4), (.contaminated, 5), (.insufficientSpeech, 6), (.uncoveredAudio, 7),
            (.transcriptionFailed, 8), (.insufficientWords, 9), (.multiSpeaker, 10), (.textMismatch, 11),
            (.embeddingFailed, 12), (.staleAssignment, 13), (.noChunks, 14),
        ])
    func refusals(outcome: SpeakerSampleResult.Outcome, number: Int) async throws {
        var engine = ScriptedEngine()
        if outcome == .transcriptionFailed { engine.textFailure = .rejectedInput }
        if outcome == .embeddingFailed { engine.voiceFailure = .rejectedInput }
        if outcome == .insufficientWords { engine.text = "one two" }
        if outcome == .textMismatch { engine.text = "nothing of this was ever written" }
        var fixture = try await fixture(engine)
        fixture.isStorageOn = outcome != .disabled
        let end = outcome == .insufficientSpeech ? 5.0 : outcome == .uncoveredAudio ? 25.0 : 15.0
        var segments = [fixture.segment(0, text, 0...end)]
        if outcome == .contaminated { segments.append(fixture.segment(1, text, 3...4, speaker: 1)) }
        if outcome != .conversationMissing { fixture.voices.add(fixture.conversation, of: fixture.user, segments) }
        if outcome != .noAudio {
            let loud = [Int16](repeating: 20_000, count: 96_000)
            try await fixture.store(outcome == .multiSpeaker ? audio.dropLast(224_000) + loud + audio : audio)
            if outcome == .noChunks { try await fixture.store.delete(ObjectKey("alice/part.bin")) }
        }
        var request = fixture.request([segments[0]], person: outcome == .personMissing ? "a/b" : "bob")
        if outcome == .noAuthorizedSegments { request.segments = [UniqueID(high: 1, low: 1).description] }
        if outcome == .staleAssignment {
            try await fixture.voices.keep(
                TaughtVoice(
                    uid: "alice", voice: KnownVoice(person: "bob", name: "Bob", embedding: [1, 0], engine: "e"),
                    sample: "alice/x.wav", seconds: 10, request: "newer", requestedAt: .max))
        }
        let result = try await fixture.outcome(of: request)
        #expect(result.outcome == outcome)
        #expect(result.object == nil)
        #expect(fixture.results().first?.type == .speakerSampleRejected)
        let objects = try await fixture.store.listAll(prefix: "alice/people_profiles/", maximum: 10)
        #expect(objects.isEmpty)
    }

    @Test("A newer sample takes the older one's place, and the older one's file goes")
    func replaced() async throws {
        let fixture = try await fixture()
        let segments = [fixture.segment(0, text, 0...12), fixture.segment(1, text, 0...13)]
        fixture.voices.add(fixture.conversation, of: fixture.user, segments)
        try await fixture.store(audio)
        try await fixture.withWorker {
            for (count, segment) in segments.enumerated() {
                try await fixture.handOff.requestSample(fixture.request([segment]), in: fixture.partition)
                try await eventually(within: .seconds(30), "an outcome") { fixture.results().count == count + 1 }
            }
        }
        #expect(fixture.results().map(\.sample?.outcome) == [.stored, .stored])
        let objects = try await fixture.store.listAll(prefix: "alice/people_profiles/", maximum: 10)
        #expect(objects.map(\.key.text) == [fixture.results()[1].sample?.object])
        #expect(Set(fixture.results().map(\.id)).count == 2)
    }

    @Test("A request waits for its age; one too many hastens the oldest, and the end of the process all")
    func shutdown() async throws {
        var fixture = try await fixture()
        fixture.limits.age = .seconds(3_600)
        fixture.limits.pendingMaximum = 1
        let segments = [fixture.segment(0, text, 0...12), fixture.segment(1, text, 0...13)]
        fixture.voices.add(fixture.conversation, of: fixture.user, segments)
        try await fixture.store(audio)
        for segment in segments {
            try await fixture.handOff.requestSample(fixture.request([segment]), in: fixture.partition)
        }
        try await fixture.withWorker {
            try await eventually(within: .seconds(30), "the oldest is handled") { !fixture.results().isEmpty }
            #expect(fixture.results().count == 1)
        }
        #expect(fixture.results().map(\.sample?.segments) == segments.map { [$0.segment.id] })
    }

    @Test("While the record is away a request waits; then it has its one outcome")
    func dependency() async throws {
        let fixture = try await fixture()
        let segment = fixture.segment(0, text, 0...12)
        fixture.voices.add(fixture.conversation, of: fixture.user, [segment])
        try await fixture.store(audio)
        fixture.voices.setAvailable(false)
        try await fixture.handOff.requestSample(fixture.request([segment]), in: fixture.partition)
        try await fixture.withWorker {
            await #expect(throws: (any Error).self) {
                try await eventually(within: .seconds(1), "an outcome") { !fixture.results().isEmpty }
            }
            fixture.voices.setAvailable(true)
            try await eventually(within: .seconds(30), "an outcome") { !fixture.results().isEmpty }
        }
        #expect(fixture.results().map(\.sample?.outcome) == [.stored])
    }

    /// A process opens the engine from one directory: named as in every other suite.
    private static let engineDirectory: String = {
        if let directory = ProcessInfo.processInfo.environment["EARSHOT_SPEECH_DIR"], !directory.isEmpty {
            return directory
        }
        let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        return file.deletingLastPathComponent().appendingPathComponent("../../../.cache/speech").standardized.path
    }()

    /// Five sentences of one LibriVox reader, one after the other.
    private static func reading(_ fixture: SampleFixture) throws -> ([Int16], [PlacedSegment]) {
        let sentences = [
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
        ]
        var samples: [Int16] = []
        var segments: [PlacedSegment] = []
        for (index, (number, words)) in sentences.enumerated() {
            let directory = "/usr/share/pocketsphinx/test/data/librivox/"
            let file = try WAVFile(path: directory + "sense_and_sensibility_01_austen_64kb-\(number).wav")
            let start = Double(samples.count) / 16_000
            samples += file.samples
            segments.append(fixture.segment(UInt64(index), words, start...Double(samples.count) / 16_000))
        }
        return (samples, segments)
    }
}
