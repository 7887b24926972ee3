import AudioStreams
import EarshotModel
import ServiceBootstrap
import SpeechEngine
import SpeechRecognition
import TranscriptWorker

extension TranscriptCommand {
    /// What tells speakers apart; nil when it is switched off.
    ///
    /// ## Configuration keys
    /// - `speakers` (bool, optional, default true).
    func labelling(
        _ settings: Settings, _ library: SpeechEngineLibrary, _ recognizer: EmbeddedRecognizer,
        _ known: UserSettingsCache
    ) throws -> SpeakerLabelling? {
        guard try settings.bool("speakers", default: true) else { return nil }
        let voices = try EmbeddedVoices(library, on: recognizer)
        return SpeakerLabelling(analysis: VoiceAnalysis(turns: voices, embedder: voices)) {
            try await known.settings(of: $0, in: $1).voices
        }
    }
}
