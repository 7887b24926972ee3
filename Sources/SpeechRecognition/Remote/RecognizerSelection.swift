/// Which recogniser hears which language.
///
/// Where both hear a language the remote one is preferred and the embedded one stands in for it. A language only the
/// remote one hears has nobody to stand in: while the server fails its sessions wait, and their text comes late, rather
/// than as English that nobody spoke.
package struct RecognizerSelection: Sendable {
    /// What the embedded model hears: English, and whatever is said to somebody who did not say what it is.
    package static let embeddedLanguages: Set<String> = ["en", "multi"]

    private let embedded: any SpeechRecognizer
    private let remote: RemoteSpeech?

    /// A selection; without a remote recogniser the embedded one hears everything it is given.
    package init(embedded: any SpeechRecognizer, remote: RemoteSpeech? = nil) {
        self.embedded = embedded
        self.remote = remote
    }

    /// The recogniser of a session's language (a BCP-47 tag, or `multi`).
    package func recognizer(for language: String) -> any SpeechRecognizer {
        guard let remote, remote.hears(language) else { return embedded }
        let hearing = remote.recognizer.hearing(language)
        return hearsEmbedded(language) ? FallbackRecognizer(hearing, fallback: embedded) : hearing
    }

    /// Whether a session of this language can have interims, which only the embedded recogniser gives.
    package func hasInterims(for language: String) -> Bool {
        hearsEmbedded(language) || remote?.hears(language) != true
    }

    /// Whether anybody hears a language.
    package func hears(_ language: String) -> Bool {
        hearsEmbedded(language) || remote?.hears(language) == true
    }

    private func hearsEmbedded(_ language: String) -> Bool {
        Self.embeddedLanguages.contains(Self.primary(language))
    }

    /// The first part of a language tag in small letters: `en` of `en-US`.
    static func primary(_ tag: String) -> String {
        String(tag.prefix { $0 != "-" && $0 != "_" }).lowercased()
    }
}
