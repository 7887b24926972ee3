import SpeechRecognition

/// What was said in an utterance, piece by piece.
struct UtteranceTranscript {
    /// One speaker's part; `speech` is in samples since the restart point.
    struct Part {
        var recognized: RecognizedText
        var speech: Range<Int>
        var label: SpeakerLabel
    }

    var parts: [Part] = []
}
