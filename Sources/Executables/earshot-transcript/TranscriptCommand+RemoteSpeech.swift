import Logging
import ServiceBootstrap
import SpeechRecognition

extension TranscriptCommand {
    /// The speech-to-text server of the settings, if there is one; also checks that every language has a recogniser.
    func remoteSpeech(
        _ settings: Settings, embedded: any SpeechRecognizer, logger: Logger
    ) throws -> RemoteSpeech? {
        let remote = try settings.text("stt.url").map { url in
            var configuration = OpenAIRecognizerConfiguration(url: url, key: try settings.secret("stt.key")?.revealed)
            configuration.model = settings.string("stt.model", default: configuration.model)
            configuration.timeout = try settings.duration(
                "stt.timeout", in: .seconds(1)...(.seconds(120)), default: configuration.timeout)
            do {
                return try RemoteSpeech(configuration, languages: try settings.list("stt.languages"), logger: logger)
            } catch {
                throw settings.error("stt.url", problem: "\(error)", allowed: "http://HOST… or https://HOST…")
            }
        }
        let selection = RecognizerSelection(embedded: embedded, remote: remote)
        // Languages that nobody hears are refused at the door (docs/adr/0007); the door must be told the same.
        for language in try settings.list("languages") where language != "*" && !selection.hears(language) {
            throw settings.error(
                "languages", problem: "no recogniser hears \(language)",
                allowed: "en, multi, and what the server of EARSHOT_STT_URL hears (EARSHOT_STT_LANGUAGES)")
        }
        return remote
    }
}
