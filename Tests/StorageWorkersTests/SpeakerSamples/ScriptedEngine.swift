import SpeechRecognition

/// Hears what it is told to hear; voices differ in how loud they are.
struct ScriptedEngine: SpeechRecognizer, VoiceEmbedder {
    let name = "scripted"
    let engine = "scripted"
    let thresholds = VoiceThresholds.embedded
    var text = "one two three four five six"
    var textFailure: RecognitionError.Code?
    var voiceFailure: RecognitionError.Code?
    var isOneVoice = false

    func transcribe(_ samples: [Float], priority: RecognitionPriority) async throws(RecognitionError) -> String {
        if let textFailure { throw RecognitionError(textFailure, "scripted") }
        return text
    }

    func embedding(of samples: [Float]) async throws(RecognitionError) -> [Float] {
        if let voiceFailure { throw RecognitionError(voiceFailure, "scripted") }
        if isOneVoice { return [1, 0] }
        return samples.reduce(0) { $0 + abs($1) } / Float(samples.count) > 0.25 ? [0, 1] : [1, 0]
    }
}
