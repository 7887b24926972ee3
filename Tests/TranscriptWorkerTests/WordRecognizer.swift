import SpeechRecognition

/// A recogniser that "hears" a word for each 100 ms of sound: how loud it is.
struct WordRecognizer: SpeechRecognizer {
    let name = "words"

    func transcribe(_ samples: [Float], priority: RecognitionPriority) async throws(RecognitionError) -> String {
        stride(from: 0, to: samples.count, by: 1_600).compactMap { start in
            let window = samples[start..<min(start + 1_600, samples.count)]
            let strength = window.reduce(0) { $0 + abs($1) } / Float(window.count)
            return strength < 0.05 ? nil : strength > 0.17 ? "loud" : "soft"
        }.joined(separator: " ")
    }
}
