import AudioStreams
package import EarshotModel
package import SpeechRecognition

/// What the transcript worker needs to say who speaks.
package struct SpeakerLabelling: Sendable {
    let analysis: VoiceAnalysis
    let voices: @Sendable (UserID, Partition) async throws -> [KnownVoice]

    /// Makes labelling.
    ///
    /// - Parameters:
    ///   - analysis: The models.
    ///   - voices: The voices a user has taught; the caller keeps them. When it throws, speakers have numbers only.
    package init(
        analysis: VoiceAnalysis, voices: @escaping @Sendable (UserID, Partition) async throws -> [KnownVoice]
    ) {
        self.analysis = analysis
        self.voices = voices
    }

    /// Whether a session's device wants suggestions with the person's id (`speaker_auto_assign`).
    func mayAssign(_ session: RegisteredSession) -> Bool { session.parameters.flags.contains(.speakerAutoAssign) }
}
