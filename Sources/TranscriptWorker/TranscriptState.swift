import SpeechRecognition

/// What a transcript lane's commits carry: where it begins anew, and whom it has told apart so far.
///
/// The restart point comes first and has one length, so that a worker that knows nothing of speakers reads it, too.
struct TranscriptState: Equatable {
    var restart = RestartPoint()
    var speakers = SpeakerClusters()

    /// The bytes a commit stores; at most 2.3 KB with the embedded engine.
    var encoded: [UInt8] { restart.encoded + speakers.encoded }

    /// State of a session from its beginning.
    init(restart: RestartPoint = RestartPoint(), speakers: SpeakerClusters = SpeakerClusters()) {
        self.restart = restart
        self.speakers = speakers
    }

    /// Reads what a commit stored; nothing stored means the session's beginning.
    init(decoding bytes: [UInt8]) throws {
        restart = try RestartPoint(decoding: bytes)
        speakers = SpeakerClusters(decoding: bytes.dropFirst(RestartPoint.encodedLength))
    }
}
