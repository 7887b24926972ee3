/// The query of `/v4/listen` and `/v4/web/listen`, read and checked (omi.md 1.2).
///
/// Unknown parameters are ignored; a value of the wrong type is malformed (HTTP 400); a value of the right type that is
/// not served becomes a close code after the upgrade.
package struct ListenParameters: Equatable, Sendable {
    package var session: SessionParameters
    /// Features that are accepted, ignored and counted, by their parameter names.
    package var ignoredFeatures: [String]

    /// Reads decoded query items; of a repeated name the last counts, as the back ends of today do it.
    ///
    /// - Parameters:
    ///   - query: The items.
    ///   - isWeb: Whether they came to `/v4/web/listen`, which has fewer parameters; the others are ignored there.
    ///   - limits: The product's bounds.
    /// - Throws: `ListenRefusal`.
    package init(
        query: [(name: String, value: String)], isWeb: Bool = false, limits: Limits
    ) throws(ListenRefusal) {
        var values = Dictionary(query.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        if isWeb { for name in Self.notOnWeb { values[name] = nil } }
        let rate = try Self.integer(values["sample_rate"], name: "sample_rate", default: 8_000)
        let channels = try Self.integer(values["channels"], name: "channels", default: 1)
        let timeout = try Self.integer(
            values["conversation_timeout"], name: "conversation_timeout", default: limits.conversationTimeoutDefault)
        for name in Self.booleans { _ = try Self.boolean(values[name], name: name) }
        let source = try Self.text(values["source"], name: "source")
        for name in ["stt_service", "call_id"] { _ = try Self.text(values[name], name: name) }
        let language = try Self.language(values["language"] ?? "en")
        let codec = try Self.codec(values["codec"] ?? "pcm8", rate: rate, channels: channels)
        session = SessionParameters(
            codec: codec, sampleRate: rate, language: language,
            conversationTimeout: Self.normalised(timeout: timeout, limits: limits), source: source,
            flags: values["speaker_auto_assign"] == "enabled" ? [.transcript, .speakerAutoAssign] : .transcript,
            clientConversation: values["client_conversation_id"].flatMap { ConversationID($0) })
        ignoredFeatures = ["custom_stt", "onboarding"].filter { values[$0] == "enabled" }
        // The recogniser hears words in silence: there is no transcript without voice activity before it.
        if values["vad_gate"] == "disabled" { ignoredFeatures.append("vad_gate") }
    }

    /// omi.md 1.2, last column.
    private static let notOnWeb = ["stt_service", "speaker_auto_assign", "create_speakers", "vad_gate"]

    private static let booleans = ["include_speech_profile", "create_speakers"]
    /// Longer than any name or call id that clients send.
    private static let textLengthMaximum = 256

    private static func integer(_ text: String?, name: String, default value: Int) throws(ListenRefusal) -> Int {
        guard let text else { return value }
        if let number = Int(text) { return number }
        // A number that is larger than any is judged like a large one.
        let digits = text.drop { $0 == "-" || $0 == "+" }
        guard text.count - digits.count <= 1, !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { throw .malformed("\(name) must be a whole number") }
        return text.hasPrefix("-") ? .min : .max
    }

    private static func boolean(_ text: String?, name: String) throws(ListenRefusal) -> Bool {
        switch text?.lowercased() {
        case nil, "true", "1", "yes", "on", "t", "y": return true
        case "false", "0", "no", "off", "f", "n": return false
        default: throw .malformed("\(name) must be true or false")
        }
    }

    private static func text(_ text: String?, name: String) throws(ListenRefusal) -> String? {
        guard let text, !text.isEmpty else { return nil }
        guard text.utf8.count <= textLengthMaximum, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw .malformed("\(name) must be at most \(textLengthMaximum) bytes without control characters")
        }
        return text
    }

    /// `multi`, `auto` (an older name of it), or a BCP-47-like tag: subtags of 1 to 8 letters or digits.
    private static func language(_ text: String) throws(ListenRefusal) -> String {
        let subtags = text.split(separator: "-", omittingEmptySubsequences: false)
        let isTag =
            text.utf8.count <= 35 && (2...8).contains(subtags[0].count) && subtags[0].allSatisfy(\.isASCIILetter)
            && subtags.allSatisfy { (1...8).contains($0.count) && $0.allSatisfy(\.isASCIILetterOrDigit) }
        guard isTag else {
            throw .close(.policy, "unsupported language: allowed are BCP-47 tags such as en or en-US, and multi")
        }
        return text == "auto" ? "multi" : text
    }

    private static func codec(_ name: String, rate: Int, channels: Int) throws(ListenRefusal) -> AudioCodec {
        guard let codec = AudioCodec(rawValue: name) else {
            throw .close(.unsupported, "unsupported codec; allowed: \(AudioCodec.allowedNames)")
        }
        guard codec.sampleRates.contains(rate) else {
            let allowed = codec.sampleRates.map(String.init).joined(separator: " ")
            throw .close(.unsupported, "unsupported sample_rate for \(codec.rawValue); allowed: \(allowed)")
        }
        guard channels == 1 else {
            throw .close(.unsupported, "unsupported channels; allowed: 1")
        }
        return codec
    }

    /// omi.md 1.2: -1 means four hours, less than the least means the least, no upper clamp but what a day bounds.
    private static func normalised(timeout: Int, limits: Limits) -> Int {
        if timeout == -1 { return limits.conversationTimeoutLongest }
        return min(max(timeout, limits.conversationTimeoutDefault), 7 * 24 * 3600)
    }
}

extension Character {
    fileprivate var isASCIILetter: Bool { isASCII && isLetter }
    fileprivate var isASCIILetterOrDigit: Bool { isASCII && (isLetter || isNumber) }
}
