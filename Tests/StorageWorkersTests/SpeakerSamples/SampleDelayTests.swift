import AudioStorage
import AudioStreams
import EarshotModel
import SessionRecord
import SpeechRecognition
import TestSupport
import Testing

@testable import StorageWorkers

@Suite("Requests whose audio cannot be had yet", .timeLimit(.minutes(3)))
struct SampleDelayTests {
    private let text = "one two three four five six"
    private let audio = [Int16](repeating: 5_000, count: 320_000)

    /// A fixture with a segment to learn from, and another conversation nothing is stored of.
    private func fixture(
        isRecorded: Bool = true
    ) async throws -> (fixture: SampleFixture, segment: PlacedSegment, other: PlacedSegment) {
        let fixture = try await SampleFixture(recognizer: ScriptedEngine(), embedder: ScriptedEngine())
        let segment = fixture.segment(0, text, 0...12)
        if isRecorded { fixture.voices.add(fixture.conversation, of: fixture.user, [segment]) }
        var other = fixture.segment(1, text, 0...12)
        other.session = SessionID.new(at: 5).description
        fixture.voices.add("other", of: fixture.user, [other])
        return (fixture, segment, other)
    }

    private func outcomes(_ fixture: SampleFixture) -> [SpeakerSampleResult.Outcome?] {
        fixture.results().map(\.sample?.outcome)
    }

    /// What comes in between does not wait, and what waits has its one outcome in the end.
    private func expectOthersServed(
        _ fixture: SampleFixture, _ segment: PlacedSegment, _ other: PlacedSegment, mend: () async throws -> Void
    ) async throws {
        try await fixture.handOff.requestSample(fixture.request([segment]), in: fixture.partition)
        try await fixture.handOff.requestSample(
            fixture.request([other], conversation: "other"), in: fixture.partition)
        try await fixture.withWorker {
            try await eventually(within: .seconds(30), "the other one's outcome") { !fixture.results().isEmpty }
            #expect(outcomes(fixture) == [.noAudio])
            try await mend()
            try await eventually(within: .seconds(30), "both outcomes") { fixture.results().count == 2 }
        }
        #expect(outcomes(fixture) == [.noAudio, .stored])
    }

    @Test("Audio that is not stored yet is waited for, and nobody else waits")
    func behind() async throws {
        let (fixture, segment, other) = try await fixture()
        try await fixture.register()
        try await expectOthersServed(fixture, segment, other) { try await fixture.store(audio) }
    }

    @Test("A store that fails for one user is waited for, and nobody else waits")
    func storeFails() async throws {
        let (fixture, segment, other) = try await fixture()
        try await fixture.store(audio)
        fixture.store.fail(ObjectStoreError(.refused, "403"), prefix: "alice/part")
        try await expectOthersServed(fixture, segment, other) { fixture.store.fail(nil) }
    }

    @Test("A sample that cannot be written is waited for as well")
    func storeRefusesSample() async throws {
        let (fixture, segment, other) = try await fixture()
        try await fixture.store(audio)
        fixture.store.fail(ObjectStoreError(.unavailable, "503"), prefix: "alice/people_profiles/")
        try await expectOthersServed(fixture, segment, other) { fixture.store.fail(nil) }
    }

    @Test("A record that is behind is waited for, and nobody else waits")
    func recordBehind() async throws {
        var (fixture, segment, other) = try await fixture(isRecorded: false)
        fixture.limits.recordWaitMaximum = .seconds(60)
        try await fixture.store(audio)
        try await expectOthersServed(fixture, segment, other) {
            fixture.voices.add(fixture.conversation, of: fixture.user, [segment])
        }
    }

    @Test("The wait has an end, and then an outcome", arguments: [true, false])
    func bounded(isStored: Bool) async throws {
        var (fixture, segment, _) = try await fixture()
        fixture.limits.audioWaitMaximum = .milliseconds(500)
        if isStored {
            try await fixture.store(audio)
            fixture.store.fail(ObjectStoreError(.unavailable, "503"), prefix: "alice/part")
        } else {
            try await fixture.register()
        }
        let outcome = try await fixture.outcome(of: fixture.request([segment])).outcome
        #expect(outcome == (isStored ? .error : .uncoveredAudio))
    }

    @Test("A voice service that always fails for a voice is waited for, and then there is an outcome")
    func voiceServiceFails() async throws {
        var engine = ScriptedEngine()
        engine.voiceFailure = .unavailable
        var fixture = try await SampleFixture(recognizer: engine, embedder: engine)
        fixture.limits.audioWaitMaximum = .milliseconds(500)
        let segment = fixture.segment(0, text, 0...12)
        fixture.voices.add(fixture.conversation, of: fixture.user, [segment])
        try await fixture.store(audio)
        #expect(try await fixture.outcome(of: fixture.request([segment])).outcome == .embeddingFailed)
    }

    @Test("A process that ends leaves what waits for its audio to the next")
    func shutdown() async throws {
        var (fixture, segment, other) = try await fixture()
        try await fixture.register()
        fixture.limits.age = .seconds(3_600)
        var old = fixture.request([other], person: "old", conversation: "other")
        old.requestedAt -= 7_200_000_000
        for request in [old, fixture.request([segment]), fixture.request([other], conversation: "other")] {
            try await fixture.handOff.requestSample(request, in: fixture.partition)
        }
        try await fixture.withWorker {
            try await eventually(within: .seconds(30), "the old one's outcome") { !fixture.results().isEmpty }
            #expect(fixture.results().count == 1)
        }
        #expect(outcomes(fixture) == [.noAudio, .noAudio], "the end of a process hastens what can be told")
        try await fixture.store(audio)
        try await fixture.withWorker {
            try await eventually(within: .seconds(30), "the outcome") { fixture.results().count == 3 }
        }
        #expect(outcomes(fixture) == [.noAudio, .noAudio, .stored])
    }

    @Test("Minutes in one segment teach a voice by clips of it; other words do not")
    func longSegment() async throws {
        for isSaid in [true, false] {
            let fixture = try await SampleFixture(recognizer: ScriptedEngine(), embedder: ScriptedEngine())
            let words = isSaid ? text : "nothing of this was ever said here"
            let long = fixture.segment(0, Array(repeating: words, count: 8).joined(separator: " "), 0...60)
            fixture.voices.add(fixture.conversation, of: fixture.user, [long])
            try await fixture.store([Int16](repeating: 5_000, count: 60 * 16_000))
            let result = try await fixture.outcome(of: fixture.request([long]))
            #expect(result.outcome == (isSaid ? .stored : .textMismatch))
            if isSaid { #expect((10.0...30.0).contains(try #require(result.seconds))) }
        }
    }
}
