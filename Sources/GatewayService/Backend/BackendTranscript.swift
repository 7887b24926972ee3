import EarshotModel

/// What a 102 carries: finished or grown segments, and the conversation they belong to.
struct BackendTranscript {
    /// The segments in their order; one without an id waits for a derived one.
    let segments: [BackendSegment]
    let conversation: ConversationName?
    /// Elements of the list that are no segments.
    let malformed: Int

    /// The JSON form.
    struct Wire: Decodable {
        let segments: [Element]
        let conversation: String?

        /// A segment, or anything else.
        struct Element: Decodable {
            let segment: BackendSegment?
            init(from decoder: any Decoder) throws { segment = try? BackendSegment(from: decoder) }
        }

        private enum CodingKeys: String, CodingKey {
            case segments
            case conversation = "memory_id"
        }
    }

    private init(_ segments: [BackendSegment], _ conversation: ConversationName?) {
        self.segments = segments
        self.conversation = conversation
        malformed = 0
    }

    init(_ wire: Wire) throws(BackendViolation) {
        segments = wire.segments.compactMap(\.segment)
        malformed = wire.segments.count - segments.count
        if let text = wire.conversation {
            conversation = try BackendMessage.conversation(text)
        } else {
            conversation = nil
        }
    }

    /// The same in parts of at most `maximum` segments.
    func parts(of maximum: Int) -> [BackendTranscript] {
        stride(from: 0, to: segments.count, by: maximum).map { first in
            BackendTranscript(Array(segments[first...].prefix(maximum)), conversation)
        }
    }

    /// The same for another conversation.
    func bound(to conversation: ConversationName?) -> BackendTranscript { BackendTranscript(segments, conversation) }
}
