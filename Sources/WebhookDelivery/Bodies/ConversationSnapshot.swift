package import EarshotModel

/// A conversation as the record has it.
package struct ConversationSnapshot: Sendable {
    package var id: String
    package var uid: String
    /// Unix µs.
    package var startedAt: Int64
    package var finishedAt: Int64
    package var language: String?
    package var source: String?
    package var segments: [TranscriptSegment]
    package var audio: [StoredAudioPart]
    /// The names of the user's known voices, by person.
    package var personNames: [String: String] = [:]
    /// Whether every session of it that the record knows has ended, so that nothing is missing.
    package var isComplete: Bool

    /// Makes a snapshot.
    package init(
        id: String, uid: String, startedAt: Int64, finishedAt: Int64, language: String? = nil, source: String? = nil,
        segments: [TranscriptSegment] = [], audio: [StoredAudioPart] = [], isComplete: Bool = true
    ) {
        self.id = id
        self.uid = uid
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.language = language
        self.source = source
        self.segments = segments
        self.audio = audio
        self.isComplete = isComplete
    }
}
