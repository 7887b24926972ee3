/// What became of one request to learn a voice; each request has exactly one.
package struct SpeakerSampleResult: Codable, Equatable, Sendable {
    /// The closed list of outcomes (omi.md section 6).
    package enum Outcome: String, Codable, Sendable, CaseIterable {
        case stored
        case disabled
        case personMissing = "person_missing"
        case conversationMissing = "conversation_missing"
        case noAudio = "no_audio"
        case noChunks = "no_chunks"
        case staleAssignment = "stale_assignment"
        case noAuthorizedSegments = "no_authorized_segments"
        case contaminated
        case insufficientSpeech = "insufficient_speech"
        case uncoveredAudio = "uncovered_audio"
        case transcriptionFailed = "transcription_failed"
        case insufficientWords = "insufficient_words"
        case multiSpeaker = "multi_speaker"
        case textMismatch = "text_mismatch"
        case embeddingFailed = "embedding_failed"
        case error
    }

    /// The request's id.
    package var request: String
    package var person: String
    package var segments: [String]
    package var outcome: Outcome
    /// The stored sample's key and its length in seconds; only with `stored`.
    package var object: String?
    package var seconds: Double?

    /// Makes a result.
    package init(
        request: String, person: String, segments: [String], outcome: Outcome, object: String? = nil,
        seconds: Double? = nil
    ) {
        self.request = request
        self.person = person
        self.segments = segments
        self.outcome = outcome
        self.object = object
        self.seconds = seconds
    }

    private enum CodingKeys: String, CodingKey {
        case request
        case person = "person_id"
        case segments = "segment_ids"
        case outcome
        case object
        case seconds
    }
}
