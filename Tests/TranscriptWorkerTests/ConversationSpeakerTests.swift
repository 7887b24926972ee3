import AudioStreams
import EarshotModel
import Logging
import NIOCore
import ServiceLifecycle
import SpeechRecognition
import TestSupport
import Testing
import TranscriptWorker
import WorkerRuntime

@Suite("Speakers of a conversation of several sessions", .timeLimit(.minutes(5)))
struct ConversationSpeakerTests {
    /// A user's devices, and workers that hear them.
    private struct Talk {
        let handOff: InMemoryHandOff
        let limits: Limits
        let partition = Partition(0)
        let gateway = Incarnation(startingAs: "gateway-0")
        let user: UserID
        var voices: [KnownVoice] = []

        init() async throws {
            var limits = Limits()
            limits.heartbeatInterval = .milliseconds(20)
            limits.leaseLapse = .milliseconds(200)
            self.limits = limits
            handOff = InMemoryHandOff(limits: limits)
            user = try #require(UserID("alice"))
            try await handOff.enable(audioGroups: [.transcript], eventGroups: [.record], in: [partition])
        }

        /// Opens a session so many seconds after the first.
        func connect(at second: Int64) async throws -> SessionRegistration.Grant? {
            try await register(.new(at: second * 1_000_000), at: second).grant
        }

        private func register(
            _ id: SessionID, at second: Int64
        ) async throws -> (id: SessionID, grant: SessionRegistration.Grant) {
            let request = SessionRegistration(
                session: id, user: user, gateway: gateway, now: second * 1_000_000,
                parameters: SessionParameters(codec: .pcm16, sampleRate: 16_000, flags: .transcript))
            return (id, try await handOff.register(request, in: partition))
        }

        /// A whole session: what it says, from a second on, and whether it ends.
        func say(
            _ pattern: [(tone: Int, silence: Int, isLoud: Bool)], at second: Int64, ends: Bool = true
        ) async throws -> (id: SessionID, grant: SessionRegistration.Grant) {
            let session = try await register(.new(at: second * 1_000_000), at: second)
            let audio = Bursts.pcm(pattern)
            var batch = FrameBatch()
            for (index, start) in stride(from: 0, to: audio.count, by: 640).enumerated() {
                let bytes = audio[start..<min(start + 640, audio.count)]
                batch.append(
                    ByteBuffer(bytes: bytes), samples: bytes.count / 2, sequence: UInt64(index),
                    firstSample: UInt64(start / 2), captureTime: second * 1_000_000 + Int64(index) * 20_000)
                guard batch.frameCount == 12 || start + 640 >= audio.count else { continue }
                _ = try await handOff.append(
                    batch.close(session: session.id, epoch: 1, flags: .transcript, language: "en"), to: partition)
            }
            if ends { try await end(session, at: second + Int64(audio.count / 32_000)) }
            return session
        }

        func end(_ session: (id: SessionID, grant: SessionRegistration.Grant), at second: Int64) async throws {
            _ = try await handOff.end(
                SessionEnding(
                    session: session.id, user: user, epoch: session.grant.epoch, gateway: gateway,
                    reason: .clientClosed, now: second * 1_000_000), in: partition)
        }

        /// Runs a worker until a condition holds; abruptly means cancelled, so that its lease lapses.
        func work(abrupt: Bool = false, speakers: Bool = true, until condition: () async throws -> Bool) async throws {
            let models = LoudnessVoices()
            let labelling = SpeakerLabelling(
                analysis: VoiceAnalysis(turns: models, embedder: models), voices: { [voices] _, _ in voices })
            let worker = Worker(
                Worker.Configuration(
                    group: .transcript, routing: .sessions(wanted: .transcript),
                    member: Incarnation(startingAs: "worker"), partitions: 1, limits: limits),
                handOff: handOff, reader: handOff,
                factory: SpeechLaneFactory(
                    recognizer: WordRecognizer(), voiceActivity: LoudnessActivity(), interims: nil,
                    labelling: speakers ? labelling : nil, limits: limits), logger: .silent)
            let group = ServiceGroup(services: [worker], logger: .silent)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await eventually(within: .seconds(120), "the worker gets so far", isTrue: condition)
                if abrupt { tasks.cancelAll() } else { await group.triggerGracefulShutdown() }
                while let result = await tasks.nextResult() {
                    if case .failure(let error) = result, !(error is CancellationError), !abrupt { throw error }
                }
            }
        }

        func isThrough(_ sessions: SessionID...) async throws -> Bool {
            for id in sessions
            where try await handOff.session(id, group: .transcript, in: partition)?.progress.isDone != true {
                return false
            }
            return true
        }

        /// The segments of a session, as the record would have them.
        func segments(_ session: SessionID) throws -> [TranscriptSegment] {
            try handOff.events(in: partition).map { try SessionEvent(json: $0) }
                .filter { $0.session == session.description }.flatMap { $0.segments ?? [] }
        }

        func numbers(_ session: SessionID) throws -> [Int] { try segments(session).map(\.speakerID) }
    }

    private let soft = (tone: 2_500, silence: 900, isLoud: false)
    private let loud = (tone: 2_500, silence: 900, isLoud: true)

    @Test("The same person keeps the same number through a reconnect; another conversation begins anew")
    func reconnect() async throws {
        let talk = try await Talk()
        let first = try await talk.say([soft, loud, soft], at: 1)
        let second = try await talk.say([loud, soft], at: 20)
        #expect(second.grant.conversation == first.grant.conversation)
        let other = try await talk.say([loud, soft], at: 1_000)
        #expect(other.grant.conversation != first.grant.conversation)
        try await talk.work { try await talk.isThrough(first.id, second.id, other.id) }
        #expect(try talk.numbers(first.id) == [0, 1, 0])
        #expect(try talk.numbers(second.id) == [1, 0])
        #expect(try talk.segments(second.id).map(\.speaker) == ["SPEAKER_01", "SPEAKER_00"])
        #expect(try talk.numbers(other.id) == [0, 1])
    }

    @Test(
        "Workers that die anywhere in between give nobody another number",
        arguments: [[1], [2, 3], [3], [4], [1, 3, 5]])
    func kills(after counts: [Int]) async throws {
        let talk = try await Talk()
        let first = try await talk.say([soft, loud, soft], at: 1)
        let second = try await talk.say([loud, soft, loud], at: 20)
        for count in counts {
            try await talk.work(abrupt: true) {
                try talk.numbers(first.id).count + talk.numbers(second.id).count >= count
            }
        }
        try await talk.work { try await talk.isThrough(first.id, second.id) }
        #expect(try talk.numbers(first.id) == [0, 1, 0])
        #expect(try talk.numbers(second.id) == [1, 0, 1])
        let ids = try (talk.segments(first.id) + talk.segments(second.id)).map(\.id)
        #expect(Set(ids).count == 6)
    }

    @Test("A device that is back before its old connection is known to be dead goes on with the numbers")
    func halfOpen() async throws {
        let talk = try await Talk()
        let first = try await talk.say([soft, loud], at: 1, ends: false)
        try await talk.work(abrupt: true) { try talk.numbers(first.id) == [0, 1] }
        // Nothing came of the connection in between.
        let dead = try await talk.connect(at: 10)
        let second = try await talk.say([loud, soft], at: 12)
        #expect(dead?.conversation == first.grant.conversation)
        try await talk.work { try await talk.isThrough(second.id) }
        #expect(try talk.numbers(second.id) == [1, 0])
        try await talk.end(first, at: 100)
        try await talk.work { try await talk.isThrough(first.id) }
        let third = try await talk.say([loud], at: 110)
        #expect(third.grant.conversation == first.grant.conversation)
        try await talk.work { try await talk.isThrough(third.id) }
        #expect(try talk.numbers(third.id) == [1])
    }

    @Test("A session's device is told of a taught voice, though the device of the session before was told, too")
    func suggestions() async throws {
        var talk = try await Talk()
        talk.voices = [KnownVoice(person: "bob", name: "Bob", embedding: LoudnessVoices.loud, engine: "loudness")]
        let first = try await talk.say([soft, loud, loud], at: 1)
        let second = try await talk.say([loud, soft, loud], at: 20)
        try await talk.work { try await talk.isThrough(first.id, second.id) }
        let told = talk.handOff.published.map(\.result).filter { $0.kind == .message }
        #expect(told.map(\.session) == [first.id, second.id])
        #expect(told.allSatisfy { $0.text.contains("\"speaker_id\":1") })
        #expect(try talk.segments(second.id).map(\.personID) == ["bob", nil, "bob"])
    }

    @Test("Where speakers are not told apart no session waits for another, and everybody is the first")
    func without() async throws {
        let talk = try await Talk()
        let first = try await talk.say([soft, loud], at: 1)
        let second = try await talk.say([loud], at: 20)
        try await talk.work(speakers: false) { try await talk.isThrough(first.id, second.id) }
        #expect(try talk.numbers(first.id) + talk.numbers(second.id) == [0, 0, 0])
    }
}
