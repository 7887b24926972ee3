import AudioStreams
import CoreMetrics
import EarshotModel
import SpeechRecognition
import WorkerRuntime

/// One session's way from frames to segments.
///
/// The lane computes from one restart point to the next. At each outcome of the segmenter it commits what was said and
/// where the next computation begins, throws decoder, resampler and segmenter away, and begins there; a successor does
/// exactly the same from what was committed, and hears the same words.
struct SpeechLane: LaneProcessor {
    /// The rate the recogniser hears, in Hz.
    static let sampleRate = 16_000

    /// Broken frames since a restart point past which the lane begins anew behind them: 5 s of 20 ms packets.
    private static let brokenFramesMaximum = 250

    /// What all lanes share.
    struct Services: Sendable {
        var recognizer: any SpeechRecognizer
        let voiceActivity: any VoiceActivityModel
        /// `nil` when interim text is switched off.
        var interims: InterimPublisher?
        let metrics: TranscriptMetrics
        let limits: Limits
    }

    private let services: Services
    private let session: RegisteredSession
    /// Identifies the lane to the recogniser, so that its final drops its waiting interim.
    private let caller: UInt64
    private var ordinal: UInt64
    private var events: UInt64
    private var held: HeldAudio
    private var computation: SpeechComputation
    /// Held frames the computation has had.
    private var fed = 0
    private var brokenSequences: [UInt64] = []
    private var lastInterimAt = ContinuousClock.now
    private var hasShownInterim = false
    /// Capture time up to which the lane is through, once it has come so far.
    private var heard: Int64?

    init(session: RegisteredSession, services: Services) throws {
        self.services = services
        self.session = session
        caller = session.session.value.low
        ordinal = session.progress.ordinal
        events = session.progress.events
        held = HeldAudio(
            parameters: session.parameters, restart: try RestartPoint(decoding: session.progress.state),
            startSequence: session.progress.next)
        computation = try SpeechComputation(session.parameters, services.voiceActivity)
    }

    // MARK: LaneProcessor

    mutating func absorb(_ entries: [LaneEntry], in context: LaneContext) async throws {
        for entry in entries { held.append(entry) }
        try await compute(in: context)
        // Packets that are none make no audio time pass: what cannot be heard is committed all the same (M11).
        if brokenSequences.count >= Self.brokenFramesMaximum {
            try await emitAll(isDone: false, reason: nil, in: context)
        }
        await context.hold(bytes: held.byteCount)
        await offerInterim(in: context)
    }

    mutating func idle(in context: LaneContext) async throws {
        guard fed > 0 else { return }
        try await emitAll(isDone: false, reason: nil, in: context)
    }

    mutating func finish(_ reason: EndReason, marker: LaneEntry, in context: LaneContext) async throws {
        try await emitAll(isDone: true, reason: reason, in: context)
    }

    mutating func cut(in context: LaneContext) async throws {
        guard fed > 0 else { return }
        let (utterance, restart) = computation.segmenter.cut()
        try await emit(utterance, restart: restart, in: context)
        try await compute(in: context)
        await context.hold(bytes: held.byteCount)
    }

    // MARK: Computing

    /// Feeds held frames until all are had; each outcome begins a new computation.
    private mutating func compute(in context: LaneContext) async throws {
        while fed < held.frames.count {
            let frame = held.frames[fed]
            fed += 1
            let outcome: SpeechSegmenter.Outcome?
            do throws(RecognitionError) {
                outcome = try computation.feed(frame, skipping: held.skip(of: frame))
            } catch {
                throw LaneFailure.dependency(name: "speech engine", reason: error.message)
            }
            if computation.takeBroken() {
                brokenSequences.append(frame.sequence)
                services.metrics.corruptFrames.increment()
            }
            switch outcome {
            case nil: continue
            case .utterance(let utterance, let restart): try await emit(utterance, restart: restart, in: context)
            case .quiet(let restart): try await emit(nil, restart: restart, in: context)
            }
        }
    }

    /// Commits an utterance, or silence, and begins anew at the restart point.
    private mutating func emit(_ utterance: Utterance?, restart: Int, in context: LaneContext) async throws {
        let segment = try await recognize(utterance)
        let speechEnd = utterance.flatMap { held.captureTime(of: $0.speech.upperBound) }
        heard = held.captureTime(of: restart) ?? heard
        held.moveRestart(to: restart, brokenSequences: brokenSequences)
        try await commit(segment, speechEnd: speechEnd, isDone: false, reason: nil, in: context)
        try beginAnew()
    }

    /// Commits everything there is: the audio ends here, for now or for good.
    private mutating func emitAll(isDone: Bool, reason: EndReason?, in context: LaneContext) async throws {
        let utterance: Utterance?
        do throws(RecognitionError) {
            // The session may end, or pause, in an utterance or right behind one: either way all of it is heard.
            utterance = try computation.finish()
        } catch {
            throw LaneFailure.dependency(name: "speech engine", reason: error.message)
        }
        let segment = try await recognize(utterance)
        let speechEnd = utterance.flatMap { held.captureTime(of: $0.speech.upperBound) }
        heard = held.endCaptureTime ?? heard
        held.moveRestartToEnd(brokenSequences: brokenSequences)
        try await commit(segment, speechEnd: speechEnd, isDone: isDone, reason: reason, in: context)
        try beginAnew()
    }

    private mutating func beginAnew() throws {
        computation = try SpeechComputation(session.parameters, services.voiceActivity)
        fed = 0
        brokenSequences = []
    }

    // MARK: Text

    /// Recognises an utterance; `nil` when nobody said anything.
    private func recognize(_ utterance: Utterance?) async throws -> TranscriptSegment? {
        guard let utterance else { return nil }
        let recognized: RecognizedText
        do throws(RecognitionError) {
            recognized = try await services.recognizer.recognize(utterance.samples, priority: .final(of: caller))
        } catch {
            switch error.code {
            case .cancelled: throw LaneFailure.abandoned
            case .rejectedInput:
                // This audio would fail again, on every worker: it counts as heard, without words.
                services.metrics.rejectedUtterances.increment()
                return nil
            default: throw LaneFailure.dependency(name: services.recognizer.name, reason: error.message)
            }
        }
        services.metrics.utterances.increment()
        return segment(recognized, utterance.speech)
    }

    private func segment(_ recognized: RecognizedText, _ speech: Range<Int>) -> TranscriptSegment? {
        let trimmed = recognized.text.trimmingWhitespace()
        guard !trimmed.isEmpty else { return nil }
        return TranscriptSegment(
            id: SegmentID.of(session: session.session, ordinal: ordinal), text: trimmed,
            start: seconds(held.captureTime(of: speech.lowerBound)),
            end: seconds(held.captureTime(of: speech.upperBound)), sttProvider: recognized.provider,
            language: session.parameters.language)
    }

    /// Seconds from the conversation's start, to the millisecond.
    private func seconds(_ captureTime: Int64?) -> Double {
        let offset = max(0, (captureTime ?? session.startedAt) - session.conversationStart)
        return Double(offset / 1000) / 1000
    }

    // MARK: Commits

    private mutating func commit(
        _ segment: TranscriptSegment?, speechEnd: Int64?, isDone: Bool, reason: EndReason?, in context: LaneContext
    ) async throws {
        // From here on no interim of this utterance may appear.
        await services.interims?.retire(session.session)
        let first = ordinal
        var output = LaneOutput(progress: LaneProgress())
        if let segment {
            output.events.append(segmentsEvent([segment], first: first).json)
            output.finals.append(
                LiveResult(
                    kind: .final, session: session.session, ordinal: first, count: 1,
                    text: TranscriptSegment.json([segment])))
            ordinal += 1
            events += 1
        }
        if let reason {
            output.events.append(endedEvent(reason).json)
            events += 1
        }
        output.progress = LaneProgress(
            next: held.startSequence, ordinal: ordinal, events: events, state: held.restart.encoded, isDone: isDone)
        output.heard = heard
        output.speech = segment == nil ? nil : speechEnd
        try await context.commit(output)
        if segment != nil, let speechEnd {
            services.metrics.finalLatency.recordNanoseconds(max(0, WallClock.microseconds - speechEnd) * 1000)
        }
        if segment == nil, hasShownInterim { await withdraw(first, in: context) }
        hasShownInterim = false
    }

    private func segmentsEvent(_ segments: [TranscriptSegment], first: UInt64) -> SessionEvent {
        var event = SessionEvent(
            type: .transcriptSegments, group: "transcript", uid: session.user.text, session: session.session,
            conversation: session.conversation, time: WallClock.microseconds, ordinal: events + 1)
        event.segments = segments
        event.firstSegment = first
        return event
    }

    private func endedEvent(_ reason: EndReason) -> SessionEvent {
        var event = SessionEvent(
            type: .sessionEnded, group: "transcript", uid: session.user.text, session: session.session,
            conversation: session.conversation, time: WallClock.microseconds, ordinal: events + 1)
        event.reason = reason.name
        event.frames = held.startSequence
        event.audioSeconds = Double(held.restart.sample) / Double(session.parameters.sampleRate)
        event.corruptFrames = held.restart.corruptFrames
        return event
    }

    // MARK: Interim text

    private mutating func offerInterim(in context: LaneContext) async {
        guard let interims = services.interims, let open = computation.segmenter.openUtterance,
            ContinuousClock.now - lastInterimAt >= services.limits.interimInterval
        else { return }
        lastInterimAt = .now
        hasShownInterim = true
        let template = segment(RecognizedText(text: "…", provider: interims.provider), computation.openSpeech)
        await interims.offer(
            InterimPublisher.Request(
                session: session.session, gateway: session.gateway, ordinal: ordinal, samples: Array(open),
                caller: caller, segment: template, context: context))
    }

    private func withdraw(_ ordinal: UInt64, in context: LaneContext) async {
        let id = SegmentID.of(session: session.session, ordinal: ordinal)
        await context.publish(
            LiveResult(
                kind: .withdrawn, session: session.session, ordinal: ordinal, count: 0,
                text: ListenMessage.segmentsDeleted([id])), to: session.gateway)
    }
}
