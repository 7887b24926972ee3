import AudioStreams
import EarshotModel
import Logging
import ServiceBootstrap
import SpeechEngine
import SpeechRecognition
import TranscriptWorker

extension TranscriptCommand {
    /// What tells speakers apart, and what has to run for it; nil when it is switched off.
    ///
    /// ## Configuration keys
    /// - `speakers` (bool, optional, default true).
    /// - `voices.url` (URL, optional): a service that makes embeddings in place of the embedded engine.
    /// - `voices.engine` (text, optional, default remote): the name of that service's model.
    func labelling(
        _ settings: Settings, _ library: SpeechEngineLibrary, _ recognizer: EmbeddedRecognizer,
        _ known: UserSettingsCache, _ logger: Logger
    ) throws -> (labelling: SpeakerLabelling, services: [BackgroundService])? {
        guard try settings.bool("speakers", default: true) else { return nil }
        let embedded = try EmbeddedVoices(library, on: recognizer)
        let remote = try settings.text("voices.url").map { url in
            var configuration = RemoteVoiceConfiguration(url: url)
            configuration.engine = settings.string("voices.engine", default: configuration.engine)
            return try RemoteVoices(configuration, logger: logger)
        }
        let analysis = VoiceAnalysis(turns: embedded, embedder: remote ?? embedded)
        let labelling = SpeakerLabelling(analysis: analysis) { try await known.settings(of: $0, in: $1).voices }
        return (labelling, remote.map { remote in [BackgroundService { await remote.run() }] } ?? [])
    }
}
