import AudioStreams
import CoreMetrics
import EarshotModel
import SpeechRecognition
import WorkerRuntime

/// Hears one utterance: its words, and whose they are.
///
/// The text of the whole and the voices are found out side by side, so that a single speaker costs no time. Only where
/// the speaker changes is each piece recognised again for itself.
struct UtteranceRecognition {
    let services: SpeechLane.Services
    let session: RegisteredSession
    let partition: Partition
    /// Identifies the lane to the recogniser, so that its final drops its waiting interim.
    let caller: UInt64

    /// Returns what was said; `speakers` learns from it.
    ///
    /// - Throws: `LaneFailure`.
    func transcript(
        of utterance: Utterance, _ speakers: inout SpeakerClusters
    ) async throws(LaneFailure) -> UtteranceTranscript {
        async let whole = text(of: utterance.samples)
        let pieces = try await pieces(of: utterance, &speakers)
        let labels = await labels(pieces, speakers)
        guard pieces.count > 1 else {
            return transcript(utterance, [(pieces[0], try await whole.get())], labels)
        }
        _ = await whole
        var texts: [(SpeakerPiece, RecognizedText)] = []
        for piece in pieces {
            texts.append((piece, try await text(of: Array(utterance.samples[piece.samples])).get()))
        }
        return transcript(utterance, texts, labels)
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
        of utterance: Utterance, _ speakers: inout SpeakerClusters
    ) async throws(LaneFailure) -> [SpeakerPiece] {
        let whole = SpeakerPiece(whole: utterance, speaker: speakers.last)
        guard let labelling = services.labelling else { return [whole] }
        do throws(RecognitionError) {
            let voices = try await labelling.analysis.voices(in: utterance)
            let numbers = speakers.assign(voices.voices, labelling.analysis.embedder.thresholds)
            return voices.pieces(numbers, of: utterance)
        } catch {
            if error.code == .cancelled { throw .abandoned }
            services.metrics.unlabelled.increment()
            return [whole]
        }
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
