import EarshotModel

/// What a 105 asks: to learn a person's voice out of segments (omi.md 2.2).
struct BackendSample {
    let person: String
    let conversation: ConversationName
    let segments: [String]

    /// The JSON form.
    struct Wire: Decodable {
        let person: String
        let conversation: String
        let segments: [String]

        private enum CodingKeys: String, CodingKey {
            case person = "person_id"
            case conversation = "conversation_id"
            case segments = "segment_ids"
        }
    }

    init(_ wire: Wire) throws(BackendViolation) {
        guard SpeakerAssignment.isLegal(person: wire.person, segments: wire.segments) else {
            throw BackendViolation(.json, SpeakerAssignment.rule)
        }
        person = wire.person
        conversation = try BackendMessage.conversation(wire.conversation)
        segments = wire.segments
    }
}
