import EarshotModel

/// Who speaks a segment.
struct SpeakerLabel: Equatable {
    /// The speaker's number in the conversation.
    var number = 0
    /// The voice the user has taught, if it is one.
    var voice: KnownVoice?

    /// Writes the label into a segment; the owner is no person but the user (omi.md section 3).
    func apply(to segment: inout TranscriptSegment) {
        segment.speakerID = number
        segment.speaker = "SPEAKER_" + (number < 10 ? "0" : "") + String(number)
        segment.isUser = voice?.person == KnownVoice.owner
        segment.personID = segment.isUser ? nil : voice?.person
        segment.speakerLabelSource = voice == nil ? nil : "auto"
    }
}
