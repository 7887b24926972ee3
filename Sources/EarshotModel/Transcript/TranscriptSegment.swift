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
    }
}
