import AudioStreams
import CoreMetrics
import EarshotModel
import SpeechRecognition
import WorkerRuntime

/// Hears one utterance: its words, and whose they are.
///
/// The text of the whole and the voices are found out side by side, so that a single speaker costs no time. The words
/// are always those of the whole; where the speaker changes each piece is recognised again for itself, which says how
/// the words are divided. A text that is ready waits for its voices a short time only.
struct UtteranceRecognition {
    let services: SpeechLane.Services
    let session: RegisteredSession
    let partition: Partition
    /// Identifies the lane to the recogniser, so that its final drops its waiting interim.
    let caller: UInt64

    private enum Step {
        case text(Result<RecognizedText, LaneFailure>)
        case voices(UtteranceVoices?)
        case late
    }

    /// Returns what was said; `speakers` learns from it.
    ///
    /// - Throws: `LaneFailure`.
    func transcript(
        of utterance: Utterance, _ speakers: inout SpeakerClusters
    ) async throws(LaneFailure) -> UtteranceTranscript {
        let (recognized, voices) = await hear(utterance)
        let whole = try recognized.get()
        if Task.isCancelled { throw .abandoned }
        let pieces = pieces(of: utterance, voices, &speakers)
        let labels = await labels(pieces, speakers)
        guard pieces.count > 1 else { return transcript(utterance, [(pieces[0], whole)], labels) }
        var heard: [String] = []
        for piece in pieces {
            heard.append(try await text(of: Array(utterance.samples[piece.samples])).get().text)
        }
        let texts = TextDivision.divide(whole.text, like: heard)
        return transcript(
            utterance, zip(pieces, texts).map { ($0, RecognizedText(text: $1, provider: whole.provider)) }, labels)
    }

    /// The text and the voices of an utterance, side by side; no voices when they cannot be told, or come late.
    private func hear(_ utterance: Utterance) async -> (Result<RecognizedText, LaneFailure>, UtteranceVoices?) {
        guard let analysis = services.labelling?.analysis else { return (await text(of: utterance.samples), nil) }
        return await withTaskGroup(of: Step.self) { steps in
            steps.addTask { .text(await text(of: utterance.samples)) }
            steps.addTask {
                do throws(RecognitionError) {
                    return .voices(try await analysis.voices(in: utterance))
                } catch {
                    services.metrics.unlabelled.increment()
                    return .voices(nil)
                }
            }
            var recognized: Result<RecognizedText, LaneFailure> = .failure(.abandoned)
            var voices: UtteranceVoices?
            var isWaitingForVoices = true
            for await step in steps {
                switch step {
                case .text(let found):
                    recognized = found
                    guard isWaitingForVoices else { break }
                    steps.addTask {
                        // Ended by the voices, or else by the time: words go first.
                        try? await ContinuousClock().sleep(for: analysis.embedder.textDelayMax)
                        return .late
                    }
                case .voices(let found):
                    voices = found
                    isWaitingForVoices = false
                    if case .success = recognized { steps.cancelAll() }
                case .late: steps.cancelAll()
                }
            }
            return (recognized, voices)
        }
    }

    /// The labels of the pieces' speakers as of now.
    private func labels(_ pieces: [SpeakerPiece], _ speakers: SpeakerClusters) async -> [Int: SpeakerLabel] {
        var matcher: VoiceMatcher?
        if let labelling = services.labelling, !speakers.speakers.isEmpty {
            do {
                let voices = try await labelling.voices(session.user, partition)
                let embedder = labelling.analysis.embedder
                matcher = VoiceMatcher(voices, engine: embedder.engine, thresholds: embedder.thresholds)
            } catch {
                // Words are worth more than names: they do not wait for settings.
                services.metrics.unlabelled.increment()
            }
        }
        var labels: [Int: SpeakerLabel] = [:]
        for number in Set(pieces.map(\.speaker)) {
            let speaker = speakers.speakers.indices.contains(number) ? speakers.speakers[number] : nil
            labels[number] = SpeakerLabel(number: number, voice: speaker.flatMap { matcher?.voice(of: $0) })
        }
        return labels
    }

    private func pieces(
        of utterance: Utterance, _ voices: UtteranceVoices?, _ speakers: inout SpeakerClusters
    ) -> [SpeakerPiece] {
        guard let voices, let labelling = services.labelling else {
            return [SpeakerPiece(whole: utterance, speaker: speakers.last)]
        }
        let numbers = speakers.assign(voices.voices, labelling.analysis.embedder.thresholds)
        return voices.pieces(numbers, of: utterance)
    }

    private func transcript(
        _ utterance: Utterance, _ texts: [(piece: SpeakerPiece, recognized: RecognizedText)],
        _ labels: [Int: SpeakerLabel]
    ) -> UtteranceTranscript {
        var transcript = UtteranceTranscript()
        for (piece, recognized) in texts {
            let text = recognized.text.trimmingWhitespace()
            guard !text.isEmpty else { continue }
            let speech = utterance.start + piece.speech.lowerBound..<utterance.start + piece.speech.upperBound
            transcript.parts.append(
                UtteranceTranscript.Part(
                    recognized: RecognizedText(text: text, provider: recognized.provider), speech: speech,
                    label: labels[piece.speaker] ?? SpeakerLabel(number: piece.speaker)))
        }
        return transcript
    }

    /// The text, empty for audio that is refused: it would fail again, on every worker, and counts as heard.
    private func text(of samples: [Float]) async -> Result<RecognizedText, LaneFailure> {
        do throws(RecognitionError) {
            let text = try await services.recognizer.recognize(samples, priority: .final(of: caller))
            services.metrics.utterances.increment()
            return .success(text)
        } catch {
            switch error.code {
            case .cancelled: return .failure(.abandoned)
            case .rejectedInput:
                services.metrics.rejectedUtterances.increment()
                return .success(RecognizedText(text: "", provider: services.recognizer.name))
            default: return .failure(.dependency(name: services.recognizer.name, reason: error.message))
            }
        }
    }
}
