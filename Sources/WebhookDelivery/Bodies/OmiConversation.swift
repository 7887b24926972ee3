import EarshotModel

/// A conversation in the shape of Omi's "conversation created" webhook (`memory_created`, omi.md 4.1).
///
/// Earshot transcribes and does not summarise: `structured` is there, and empty.
struct OmiConversation: Encodable {
    let id: String
    let uid: String
    let createdAt: String
    let startedAt: String
    let finishedAt: String
    let source: String
    let language: String?
    let status = "completed"
    let discarded = false
    let structured = Structured()
    let transcriptSegments: [NamedSegment]
    let audioFiles: [AudioFile]
    let appsResults: [String] = []

    struct Structured: Encodable {
        let title = ""
        let overview = ""
        let emoji = ""
        let category = "other"
        let actionItems: [String] = []
        let events: [String] = []
    }

    struct AudioFile: Encodable {
        let id: String
        let uid: String
        let conversationID: String
        let chunkTimestamps: [Double]
        let startedAt: String
        let duration: Double
    }

    /// A segment with `speaker_name`, which this body has and no other (omi.md 3).
    struct NamedSegment: Encodable {
        let segment: TranscriptSegment
        let name: String

        private enum CodingKeys: String, CodingKey { case name = "speaker_name" }

        func encode(to encoder: any Encoder) throws {
            try segment.encode(to: encoder)
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(name, forKey: .name)
        }
    }

    /// Takes a conversation, without segments when there is no room for them.
    init(_ conversation: ConversationSnapshot, segments: [TranscriptSegment]?) {
        id = conversation.id
        uid = conversation.uid
        createdAt = ISOTime.text(conversation.startedAt)
        startedAt = ISOTime.text(conversation.startedAt)
        finishedAt = ISOTime.text(conversation.finishedAt)
        source = conversation.source ?? "omi"
        language = conversation.language
        transcriptSegments = (segments ?? []).map { segment in
            let known = segment.personID.flatMap { conversation.personNames[$0] }
            return NamedSegment(
                segment: segment, name: segment.isUser ? "User" : known ?? "Speaker \(segment.speakerID)")
        }
        audioFiles = conversation.audio.map { part in
            AudioFile(
                id: part.object, uid: conversation.uid, conversationID: conversation.id,
                chunkTimestamps: [Double(part.captureStart / 1_000) / 1_000],
                startedAt: ISOTime.text(part.captureStart), duration: part.seconds)
        }
    }
}
