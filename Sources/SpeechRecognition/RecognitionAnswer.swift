/// What a recogniser's thread found out.
enum RecognitionAnswer: Sendable {
    case text(String)
    case turns(SpeakerTurns)
    case embedding([Float])
}

/// What a thread does with samples beside recognising their text; blocks.
typealias RecognitionWork = @Sendable ([Float]) throws(RecognitionError) -> RecognitionAnswer
