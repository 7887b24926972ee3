import Logging
import ServiceBootstrap
import SpeechRecognition

extension SpeakerSampleCommand {
    /// The service that makes embeddings in place of the embedded engine, if there is one.
    ///
    /// ## Configuration keys
    /// - `voices.url` (URL, optional).
    /// - `voices.engine` (text, optional, default remote): the name of that service's model.
    func remoteVoices(_ settings: Settings, logger: Logger) throws -> RemoteVoices? {
        try settings.text("voices.url").map { url in
            var configuration = RemoteVoiceConfiguration(url: url)
            configuration.engine = settings.string("voices.engine", default: configuration.engine)
            // Nobody waits for a sample, and the contract's callers are this patient (omi.md section 6).
            configuration.timeout = .seconds(300)
            return try RemoteVoices(configuration, logger: logger)
        }
    }
}
