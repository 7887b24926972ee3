@testable import SpeechRecognition

/// A recogniser that hears one thing in open utterances, and another in finished ones.
struct TwoTextRecognizer: SpeechRecognizer {
    let name = "two texts"
    var interim = "so far"
    var final = "all of it"

    func transcribe(_ samples: [Float], priority: RecognitionPriority) async throws(RecognitionError) -> String {
        priority.kind == .interim ? interim : final
    }
}
