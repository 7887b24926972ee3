import AudioStreams
import SpeechRecognition
import WorkerRuntime

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

    /// The state a lane begins with: its own, or of its session's beginning with the speakers of the session before.
    init(_ opening: LaneOpening) throws {
        try self.init(decoding: opening.progress.state)
        guard opening.progress.state.isEmpty else { return }
        // Numbers are worth less than words: what another version wrote is no reason to stop.
        speakers = (try? TranscriptState(decoding: opening.stateBefore).speakers.continued) ?? speakers
    }
}
