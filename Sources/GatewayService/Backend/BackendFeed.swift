import AudioStreams
import EarshotModel
import NIOCore

/// One Earshot session of a back end's connection: the audio and transcripts of one conversation.
final class BackendFeed {
    let audio: SessionAudio
    /// The conversation the registry put it in.
    var conversation: String { audio.registration.grant.conversation }
    private let frameBytes: Int
    /// Numbers events on from the session's birth in µs, so that they grow over a conversation's sessions too: a
    /// segment that grew behind a reconnect is newer than what it was before.
    private var nextEvent: UInt64
    private var nextSegment: UInt64 = 0

    init(_ audio: SessionAudio, beganAt: Int64, frameBytes: Int) {
        self.audio = audio
        self.frameBytes = frameBytes
        nextEvent = UInt64(clamping: beganAt)
    }

    /// Takes in a piece in frames of a size that suits batches.
    func append(_ piece: BackendTimeline.Piece) {
        let rate = Int64(audio.registration.parameters.sampleRate)
        var rest = piece.pcm
        var before: Int64 = 0
        while let frame = rest.readSlice(length: min(frameBytes, rest.readableBytes)), frame.readableBytes > 0 {
            let samples = frame.readableBytes / 2
            audio.append(frame, samples: samples, capture: piece.capture + before * 1_000_000 / rate)
            before += Int64(samples)
        }
    }

    /// The event of a transcript, in the conversation the sender named or, when it named none, in the session's own.
    func event(of transcript: BackendTranscript, time: Int64) -> SessionEvent {
        let registration = audio.registration
        var event = SessionEvent(
            type: .transcriptSegments, group: "backend", uid: registration.user.text, session: registration.session,
            conversation: transcript.conversation?.text ?? conversation, time: time, ordinal: nextEvent)
        event.firstSegment = nextSegment
        event.segments = transcript.segments.map { segment in
            defer { nextSegment += 1 }
            return segment.transcriptSegment(session: registration.session, ordinal: nextSegment)
        }
        nextEvent += 1
        return event
    }
}
