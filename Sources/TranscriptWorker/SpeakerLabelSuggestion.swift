import FoundationEssentials

/// `speaker_label_suggestion`: tells a device whom a speaker sounds like (omi.md 1.7).
struct SpeakerLabelSuggestion: Encodable, Equatable {
    let type = "speaker_label_suggestion"
    var speakerID: Int
    /// Empty unless the device asked for ids.
    var personID: String
    var personName: String
    var segmentID: String

    /// The message.
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { preconditionFailure("texts and a number are always JSON") }
        return String(decoding: data, as: UTF8.self)
    }

    private enum CodingKeys: String, CodingKey {
        case type
        case speakerID = "speaker_id"
        case personID = "person_id"
        case personName = "person_name"
        case segmentID = "segment_id"
    }
}
