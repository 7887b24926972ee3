import EarshotModel

/// A segment of a 102, read leniently: only its text is required, unknown fields are ignored (omi.md section 3).
struct BackendSegment: Decodable {
    private let id: String?
    private let segment: TranscriptSegment

    private enum CodingKeys: String, CodingKey {
        case id
        case text
        case speaker
        case speakerID = "speaker_id"
        case speakerIDInCamelCase = "speakerId"
        case isUser = "is_user"
        case personID = "person_id"
        case start
        case end
        case translations
        case speechProfileProcessed = "speech_profile_processed"
        case sttProvider = "stt_provider"
        case language
        case channel
        case speakerLabelSource = "speaker_label_source"
        case speakerMatchSource = "speaker_match_source"
        case speakerIdentityStatus = "speaker_identity_status"
        case speakerIDScope = "speaker_id_scope"
    }

    /// A position that is not known (omi.md section 3).
    private static let unknownPosition = -1.0
    /// The largest position taken for one: a month in seconds, longer than any conversation.
    ///
    /// A Unix time, or 1e300, is no place in the audio and no number of samples.
    private static let positionMaximum = 31 * 86_400.0

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func optional<Value: Decodable>(_ key: CodingKeys, as type: Value.Type = Value.self) -> Value? {
            try? fields.decodeIfPresent(type, forKey: key)
        }
        func position(_ key: CodingKeys) -> Double {
            optional(key).flatMap { (value: Double) in abs(value) <= Self.positionMaximum ? value : nil }
                ?? Self.unknownPosition
        }
        func text(_ key: CodingKeys) -> String? { optional(key).map(Self.storable) }
        let id = optional(.id, as: String.self)
        self.id = id.flatMap { (1...128).contains($0.utf8.count) && !$0.utf8.contains(0) ? $0 : nil }
        let start = position(.start)
        var segment = TranscriptSegment(
            id: UniqueID(high: 0, low: 0), text: Self.storable(try fields.decode(String.self, forKey: .text)),
            start: start, end: max(start, position(.end)), sttProvider: text(.sttProvider), language: text(.language))
        let speaker = text(.speaker)
        let number: Int? = optional(.speakerID) ?? optional(.speakerIDInCamelCase)
        segment.speakerID = Self.storable(number ?? speaker.flatMap(Self.number) ?? 0)
        segment.speaker = speaker ?? Self.name(segment.speakerID)
        segment.isUser = optional(.isUser) ?? false
        segment.personID = text(.personID)
        segment.translations = optional(.translations) ?? []
        segment.speechProfileProcessed = optional(.speechProfileProcessed) ?? true
        segment.channel = Self.storable(optional(.channel) ?? 0)
        segment.speakerLabelSource = text(.speakerLabelSource)
        segment.speakerMatchSource = text(.speakerMatchSource)
        segment.speakerIdentityStatus = text(.speakerIdentityStatus)
        segment.speakerIDScope = text(.speakerIDScope)
        self.segment = segment
    }

    /// The segment under its own id, or under one that is derived for its place in a session.
    func transcriptSegment(session: SessionID, ordinal: UInt64) -> TranscriptSegment {
        var segment = segment
        segment.id = id ?? SegmentID.of(session: session, ordinal: ordinal).description
        return segment
    }

    /// Without NUL, which no text in Postgres may hold.
    private static func storable(_ text: String) -> String {
        text.utf8.contains(0) ? text.replacing("\0", with: "\u{FFFD}") : text
    }

    /// Within 32 bits, as the record keeps it.
    private static func storable(_ number: Int) -> Int { Int(Int32(clamping: number)) }

    /// The number in `SPEAKER_<n>`.
    private static func number(in speaker: String) -> Int? {
        let prefix = "SPEAKER_"
        guard speaker.hasPrefix(prefix) else { return nil }
        return Int(speaker.dropFirst(prefix.count))
    }

    private static func name(_ number: Int) -> String {
        "SPEAKER_" + ((0..<10).contains(number) ? "0" : "") + String(number)
    }
}
