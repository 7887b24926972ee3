import EarshotModel

/// What a 105 asks: to learn a person's voice out of segments (omi.md 2.2).
struct BackendSample {
    let person: String
    let conversation: ConversationName
    let segments: [String]

    /// The JSON form.
    struct Wire: Decodable {
        let person_id: String
        let conversation_id: String
        let segment_ids: [String]
    }

    init(_ wire: Wire) throws(BackendViolation) {
        guard SpeakerAssignment.isLegal(person: wire.person_id, segments: wire.segment_ids) else {
            throw BackendViolation(.json, SpeakerAssignment.rule)
        }
        person = wire.person_id
        conversation = try BackendMessage.conversation(wire.conversation_id)
        segments = wire.segment_ids
    }
}
