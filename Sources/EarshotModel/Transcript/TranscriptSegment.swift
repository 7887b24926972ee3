/// One finished or interim piece of transcript, in the wire form of omi.md section 3.
package struct TranscriptSegment: Codable, Equatable, Sendable {
    package var id: String
    package var text: String
    package var speaker: String
    package var speakerID: Int
    package var isUser: Bool
    package var personID: String?
    /// Seconds from the conversation's start.
    package var start: Double
    package var end: Double
    package var translations: [SegmentTranslation]
    package var speechProfileProcessed: Bool
    /// The engine that heard it.
    package var sttProvider: String?
    package var language: String?
    package var channel: Int
    /// Who named the speaker: `auto` for a known voice, or as a back end says; nil for nobody.
    package var speakerLabelSource: String?
    /// How a back end came to the speaker; its words are passed on as they are, and nothing of ours sets them.
    package var speakerMatchSource: String?
    package var speakerIdentityStatus: String?
    package var speakerIDScope: String?

    /// Makes a segment of the one speaker known so far.
    package init(
        id: UniqueID, text: String, start: Double, end: Double, sttProvider: String?, language: String? = nil
    ) {
        self.id = id.description
        self.text = text
        self.speaker = "SPEAKER_00"
        self.speakerID = 0
        self.isUser = false
        self.personID = nil
        self.start = start
        self.end = end
        self.translations = []
        self.speechProfileProcessed = true
        self.sttProvider = sttProvider
        self.language = language
        self.channel = 0
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case text
        case speaker
        case speakerID = "speaker_id"
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

    /// Writes the contract's shape: what it knows as null is there as null; what else is not known is left out.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(id, forKey: .id)
        try fields.encode(text, forKey: .text)
        try fields.encode(speaker, forKey: .speaker)
        try fields.encode(speakerID, forKey: .speakerID)
        try fields.encode(isUser, forKey: .isUser)
        try fields.encode(personID, forKey: .personID)
        try fields.encode(start, forKey: .start)
        try fields.encode(end, forKey: .end)
        try fields.encode(translations, forKey: .translations)
        try fields.encode(speechProfileProcessed, forKey: .speechProfileProcessed)
        try fields.encode(sttProvider, forKey: .sttProvider)
        try fields.encode(speakerLabelSource, forKey: .speakerLabelSource)
        try fields.encodeIfPresent(language, forKey: .language)
        try fields.encode(channel, forKey: .channel)
        try fields.encodeIfPresent(speakerMatchSource, forKey: .speakerMatchSource)
        try fields.encodeIfPresent(speakerIdentityStatus, forKey: .speakerIdentityStatus)
        try fields.encodeIfPresent(speakerIDScope, forKey: .speakerIDScope)
    }
}
