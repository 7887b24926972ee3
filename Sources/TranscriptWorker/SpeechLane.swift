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
        /// `nil` when speakers are not told apart.
        let labelling: SpeakerLabelling?
        let metrics: TranscriptMetrics
        let limits: Limits
    }

    private let services: Services
    private let opening: LaneOpening
    private let session: RegisteredSession
    private let recognition: UtteranceRecognition
    /// Who was told apart in this conversation so far, as far as this session knows.
    private var speakers: SpeakerClusters
    /// How interim text is labelled: as the text before it.
    private var lastLabel: SpeakerLabel
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

    init(_ session: RegisteredSession, opening: LaneOpening, services: Services) throws {
        self.services = services
        self.opening = opening
        self.session = session
        recognition = UtteranceRecognition(
            services: services, session: session, partition: opening.partition, caller: session.session.value.low)
        let state = try TranscriptState(opening)
        speakers = state.speakers
        lastLabel = SpeakerLabel(number: state.speakers.last)
        ordinal = session.progress.ordinal
        events = session.progress.events
        held = HeldAudio(
            parameters: session.parameters, restart: state.restart, startSequence: session.progress.next)
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
        guard await context.goesOn else { return }
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
        let segments = try await recognize(utterance)
        let speechEnd = utterance.flatMap { held.captureTime(of: $0.speech.upperBound) }
        heard = held.captureTime(of: restart) ?? heard
        held.moveRestart(to: restart, brokenSequences: brokenSequences)
        if !segments.isEmpty { held.transcribed(utterance?.speech.count ?? 0) }
        try await commit(segments, speechEnd: speechEnd, isDone: false, reason: nil, in: context)
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
        let segments = try await recognize(utterance)
        let speechEnd = utterance.flatMap { held.captureTime(of: $0.speech.upperBound) }
        heard = held.endCaptureTime ?? heard
        held.moveRestartToEnd(brokenSequences: brokenSequences)
        if !segments.isEmpty { held.transcribed(utterance?.speech.count ?? 0) }
        try await commit(segments, speechEnd: speechEnd, isDone: isDone, reason: reason, in: context)
        try beginAnew()
    }

    private mutating func beginAnew() throws {
        computation = try SpeechComputation(session.parameters, services.voiceActivity)
        fed = 0
        brokenSequences = []
    }

    // MARK: Text

    /// Recognises an utterance: a segment for each change of speaker, none when nobody said anything.
    private mutating func recognize(_ utterance: Utterance?) async throws -> [LabelledSegment] {
        guard let utterance else { return [] }
        let transcript = try await recognition.transcript(of: utterance, &speakers)
        let segments = transcript.parts.enumerated().map { index, part in
            LabelledSegment(
                segment: segment(part.recognized, part.speech, part.label, ordinal: ordinal + UInt64(index)),
                label: part.label)
        }
        if let last = segments.last { lastLabel = last.label }
        return segments
    }

    private func segment(
        _ recognized: RecognizedText, _ speech: Range<Int>, _ label: SpeakerLabel, ordinal: UInt64
    ) -> TranscriptSegment {
        var segment = TranscriptSegment(
            id: SegmentID.of(session: session.session, ordinal: ordinal), text: recognized.text,
            start: seconds(held.captureTime(of: speech.lowerBound)),
            end: seconds(held.captureTime(of: speech.upperBound)), sttProvider: recognized.provider,
            language: session.parameters.language)
        label.apply(to: &segment)
        return segment
    }

    /// Seconds from the conversation's start, to the millisecond.
    private func seconds(_ captureTime: Int64?) -> Double {
        let offset = max(0, (captureTime ?? session.startedAt) - session.conversationStart)
        return Double(offset / 1000) / 1000
    }

    // MARK: Commits

    private mutating func commit(
        _ labelled: [LabelledSegment], speechEnd: Int64?, isDone: Bool, reason: EndReason?, in context: LaneContext
    ) async throws {
        // From here on no interim of this utterance may appear.
        await services.interims?.retire(session.session)
        let first = ordinal
        let segments = labelled.map(\.segment)
        var output = LaneOutput(progress: LaneProgress())
        if !segments.isEmpty {
            output.events.append(segmentsEvent(segments, first: first).json)
            output.finals.append(
                LiveResult(
                    kind: .final, session: session.session, ordinal: first, count: segments.count,
                    text: TranscriptSegment.json(segments)))
            ordinal += UInt64(segments.count)
            events += 1
        }
        for usage in held.takeUsage(every: services.limits.usageInterval, isDone: isDone) {
            output.events.append(usageEvent(usage).json)
            events += 1
        }
        if let reason {
            output.events.append(endedEvent(reason).json)
            events += 1
        }
        let state = TranscriptState(restart: held.restart, speakers: speakers)
        output.progress = LaneProgress(
            next: held.startSequence, ordinal: ordinal, events: events, state: state.encoded, isDone: isDone)
        output.heard = heard
        output.speech = segments.isEmpty ? nil : speechEnd
        try await context.commit(output)
        if !segments.isEmpty, let speechEnd {
            services.metrics.finalLatency.recordNanoseconds(max(0, WallClock.microseconds - speechEnd) * 1000)
        }
        if segments.isEmpty, hasShownInterim { await withdraw(first, in: context) }
        hasShownInterim = false
        await suggest(labelled, in: context)
    }

    /// Tells the device, once for each speaker, whom a speaker was recognised as.
    ///
    /// That it was told stands in the next commit: after a crash in between it is told again.
    private mutating func suggest(_ labelled: [LabelledSegment], in context: LaneContext) async {
        for (segment, label) in labelled.map({ ($0.segment, $0.label) }) {
            guard let voice = label.voice, let labelling = services.labelling,
                speakers.speakers.indices.contains(label.number),
                !speakers.speakers[label.number].wasSuggested(voice.person)
            else { continue }
            let suggestion = SpeakerLabelSuggestion(
                speakerID: label.number, personID: labelling.mayAssign(session) ? voice.person : "",
                personName: voice.name, segmentID: segment.id)
            await context.publish(
                LiveResult(
                    kind: .message, session: session.session, ordinal: ordinal, count: 0, text: suggestion.json),
                to: session.gateway)
            speakers.suggested(voice.person, for: label.number)
        }
    }

    private func segmentsEvent(_ segments: [TranscriptSegment], first: UInt64) -> SessionEvent {
        var event = SessionEvent(
            type: .transcriptSegments, group: "transcript", uid: session.user.text, session: session.session,
            conversation: session.conversation, time: WallClock.microseconds, ordinal: events + 1)
        event.segments = segments
        event.firstSegment = first
        return event
    }

    private func usageEvent(_ usage: SessionUsage) -> SessionEvent {
        var event = SessionEvent(
            type: .sessionUsage, group: "transcript", uid: session.user.text, session: session.session,
            conversation: session.conversation, time: WallClock.microseconds, ordinal: events + 1)
        event.usage = usage
        return event
    }

    private func endedEvent(_ reason: EndReason) -> SessionEvent {
        var event = SessionEvent(
            type: .sessionEnded, group: "transcript", uid: session.user.text, session: session.session,
            conversation: session.conversation, time: WallClock.microseconds, ordinal: events + 1)
        event.reason = reason.name
        event.frames = held.startSequence - min(opening.start, held.startSequence)
        event.lostFrames = opening.lost > 0 ? opening.lost : nil
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
        let template = segment(
            RecognizedText(text: "…", provider: interims.provider), computation.openSpeech, lastLabel, ordinal: ordinal)
        await interims.offer(
            InterimPublisher.Request(
                session: session.session, gateway: session.gateway, ordinal: ordinal, samples: Array(open),
                caller: recognition.caller, segment: template, context: context))
    }

    private func withdraw(_ ordinal: UInt64, in context: LaneContext) async {
        let id = SegmentID.of(session: session.session, ordinal: ordinal)
        await context.publish(
            LiveResult(
                kind: .withdrawn, session: session.session, ordinal: ordinal, count: 0,
                text: ListenMessage.segmentsDeleted([id])), to: session.gateway)
    }
}
