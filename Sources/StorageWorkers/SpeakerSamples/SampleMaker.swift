import AudioCodecs
package import AudioStorage
import CoreMetrics
package import EarshotModel
package import Logging
package import SessionRecord
package import SpeechRecognition
import WorkerRuntime

/// Makes a sample out of a request: looks up, cuts, verifies, stores.
package struct SampleMaker: Sendable {
    private let record: any VoiceRecord
    private let audio: any StoredAudioReading
    private let store: any ObjectStore
    private let recognizer: any SpeechRecognizer
    private let embedder: any VoiceEmbedder
    private let settings: @Sendable (UserID, Partition) async throws -> UserSettings
    private let limits: SampleLimits
    private let logger: Logger

    /// Makes it out of what it works with; `settings` are the user's, kept by the caller.
    package init(
        record: any VoiceRecord, audio: any StoredAudioReading, store: any ObjectStore,
        recognizer: any SpeechRecognizer, embedder: any VoiceEmbedder,
        settings: @escaping @Sendable (UserID, Partition) async throws -> UserSettings,
        limits: SampleLimits = SampleLimits(), logger: Logger
    ) {
        self.record = record
        self.audio = audio
        self.store = store
        self.recognizer = recognizer
        self.embedder = embedder
        self.settings = settings
        self.limits = limits
        self.logger = logger
    }

    /// What became of a request, and the session whose speech it is about.
    struct Outcome {
        var result: SpeakerSampleResult
        var session: SessionID?
        /// Why it should be tried again instead, if so; the result says what it comes to otherwise.
        var delay: SampleDelay?
    }

    /// Handles one request; doing it again gives the same sample.
    ///
    /// - Throws: `LaneFailure.dependency` while something is away that all requests need, `LaneFailure.abandoned` when
    ///   cancelled.
    func handle(_ request: SpeakerSampleRequest, in partition: Partition) async throws(LaneFailure) -> Outcome {
        var outcome = Outcome(
            result: SpeakerSampleResult(
                request: request.id, person: request.person, segments: request.segments, outcome: .error))
        do {
            let (key, seconds) = try await make(request, in: partition, &outcome.session)
            outcome.result.outcome = .stored
            outcome.result.object = key
            outcome.result.seconds = seconds
        } catch let refusal as SampleRefusal {
            outcome.result.outcome = refusal.outcome
        } catch let delay as SampleDelay {
            outcome.result.outcome = delay.outcome
            let waited = WallClock.microseconds - request.requestedAt
            if waited < (limits.age + delay.limit).microseconds { outcome.delay = delay }
        } catch let failure as LaneFailure {
            throw failure
        } catch {
            logger.error("a sample could not be made", metadata: ["request": "\(request.id)", "error": "\(error)"])
        }
        return outcome
    }

    private func make(
        _ request: SpeakerSampleRequest, in partition: Partition, _ session: inout SessionID?
    ) async throws -> (key: String, seconds: Double) {
        guard let user = UserID(request.uid), let key = Self.key(of: request) else {
            throw SampleRefusal(.personMissing)
        }
        guard try await allows(user, partition) else { throw SampleRefusal(.disabled) }
        let conversation = try await recorded { () throws(SessionRecordError) in
            try await record.segments(ofConversation: request.conversation, user: user)
        }
        guard let conversation else { throw unrecorded(.conversationMissing) }
        session = conversation.first { request.segments.contains($0.segment.id) }.flatMap { SessionID($0.session) }
        let known = try await recorded { () throws(SessionRecordError) in
            try await record.voice(of: request.person, user: user)
        }
        guard known.map({ $0.requestedAt <= request.requestedAt }) ?? true else {
            throw SampleRefusal(.staleAssignment)
        }
        guard conversation.contains(where: { request.segments.contains($0.segment.id) }) else {
            throw unrecorded(.noAuthorizedSegments)
        }
        let plan = try SamplePlan(request, conversation, limits)
        let clips = try await clips(of: plan, conversation, request, user, in: partition)
        let voice = try await verify(clips, plan)
        // The embedding is there before anything of the old voice is replaced.
        let seconds = Double(clips.reduce(0) { $0 + $1.count }) / Double(Self.sampleRate)
        try await put(clips, at: key)
        let name = request.personName ?? known?.voice.name ?? ""
        try await recorded { () throws(SessionRecordError) in
            try await record.keep(
                TaughtVoice(
                    uid: user.text,
                    voice: KnownVoice(
                        person: request.person, name: name, embedding: voice.embedding, engine: embedder.engine),
                    sample: key.text, seconds: seconds, request: request.id, requestedAt: request.requestedAt))
        }
        if let old = known?.sample, old != key.text { await remove(old) }
        return (key.text, seconds)
    }

    // MARK: Steps

    private static let sampleRate = 16_000

    /// `{uid}/people_profiles/{person}/{file}.wav` (omi.md section 6), one file a request; nil for ids that are no part
    /// of a key.
    private static func key(of request: SpeakerSampleRequest) -> ObjectKey? {
        try? ObjectKey([request.uid, "people_profiles", request.person, "\(request.id).wav"])
    }

    private func allows(_ user: UserID, _ partition: Partition) async throws(LaneFailure) -> Bool {
        do {
            return try await settings(user, partition).isStorageOn
        } catch {
            throw LaneFailure.dependency(name: "settings", reason: "\(error)")
        }
    }

    /// What the record does not have may come: it is written behind the events.
    private func unrecorded(_ outcome: SpeakerSampleResult.Outcome) -> SampleDelay {
        SampleDelay(outcome: outcome, reason: "the record does not have it", limit: limits.recordWaitMaximum)
    }

    private func clips(
        of plan: SamplePlan, _ conversation: [PlacedSegment], _ request: SpeakerSampleRequest, _ user: UserID,
        in partition: Partition
    ) async throws -> [[Int16]] {
        let stretches = plan.clips.map { clip in
            // A back end sends audio before its transcript, so that they may have come by different connections.
            clip.segment.isBackend
                ? SpeechStretch(sessions: Set(conversation.map(\.session)), isAnySession: true, times: clip.times)
                : SpeechStretch(sessions: [clip.segment.session], times: clip.times)
        }
        switch try await audio.speech(stretches, of: request.conversation, user: user, in: partition) {
        case .nothing: throw SampleRefusal(.noAudio)
        case .vanished: throw SampleRefusal(.noChunks)
        case .gap: throw SampleRefusal(.uncoveredAudio)
        case .behind:
            throw SampleDelay(
                outcome: .uncoveredAudio, reason: "its audio is not stored yet", limit: limits.audioWaitMaximum)
        case .away(let reason): throw storeFails(reason)
        case .clips(let clips): return clips
        }
    }

    /// A store may fail for one user only, so that nobody else waits for it.
    private func storeFails(_ reason: String) -> SampleDelay {
        SampleDelay(outcome: .error, reason: reason, limit: limits.audioWaitMaximum)
    }

    private func verify(_ clips: [[Int16]], _ plan: SamplePlan) async throws -> VoiceSample {
        var texts: [String] = []
        var windows: [(embedding: [Float], sampleCount: Int)] = []
        for clip in clips {
            let samples = PCM.floats(clip)
            texts.append(
                try await recognised(.transcriptionFailed) { () throws(RecognitionError) in
                    try await recognizer.transcribe(samples, priority: .final)
                })
            for start in stride(from: 0, to: samples.count, by: limits.windowCount) {
                let window = Array(samples[start..<min(start + limits.windowCount, samples.count)])
                guard window.count * 2 >= limits.windowCount else { continue }
                let embedding = try await recognised(.embeddingFailed) { () throws(RecognitionError) in
                    try await embedder.embedding(of: window)
                }
                windows.append((embedding, window.count))
            }
        }
        let heard = SampleWords(texts.joined(separator: " "))
        guard heard.words.count >= limits.wordsMinimum else { throw SampleRefusal(.insufficientWords) }
        let voice = VoiceSample(windows, embedder.thresholds)
        guard voice.dominance >= limits.dominanceMinimum else { throw SampleRefusal(.multiSpeaker) }
        let written = SampleWords(plan.segments.map(\.segment.text).joined(separator: " "))
        let likeness = plan.isWhole ? heard.likeness(to: written) : heard.containment(in: written)
        guard likeness >= limits.likenessMinimum else { throw SampleRefusal(.textMismatch) }
        guard !voice.embedding.isEmpty else { throw SampleRefusal(.embeddingFailed) }
        return voice
    }

    private func put(_ clips: [[Int16]], at key: ObjectKey) async throws {
        let file = try WAVFile(sampleRate: Self.sampleRate, samples: Array(clips.joined())).encoded()
        do throws(ObjectStoreError) {
            try await store.put(file, at: key, contentType: "audio/wav", condition: .always)
        } catch {
            switch error.code {
            case .unavailable, .refused, .clockSkew: throw storeFails(error.message)
            default: throw error
            }
        }
    }

    /// Removes a sample nothing names any more; left behind when the store is away.
    private func remove(_ text: String) async {
        do throws(ObjectStoreError) {
            try await store.delete(try ObjectKey(text))
        } catch {
            logger.warning("an old sample stays", metadata: ["object": "\(text)", "error": "\(error)"])
        }
    }

    // MARK: Failures

    private func recorded<Value>(
        _ body: () async throws(SessionRecordError) -> Value
    ) async throws -> Value {
        do throws(SessionRecordError) {
            return try await body()
        } catch {
            guard error.code == .unavailable else { throw error }
            throw LaneFailure.dependency(name: "postgres", reason: error.message)
        }
    }

    private func recognised<Value>(
        _ outcome: SpeakerSampleResult.Outcome, _ body: () async throws(RecognitionError) -> Value
    ) async throws -> Value {
        do throws(RecognitionError) {
            return try await body()
        } catch {
            switch error.code {
            case .rejectedInput: throw SampleRefusal(outcome)
            case .cancelled: throw LaneFailure.abandoned
            // A service may fail for one voice only, so that nobody else waits for it.
            default:
                throw SampleDelay(
                    outcome: outcome, reason: "\(recognizer.name): \(error.message)", limit: limits.audioWaitMaximum)
            }
        }
    }
}
