import SpeechEngine

/// What one recogniser thread computes with; made on that thread and never leaves it.
struct RecognitionEngine {
    /// Returns the text of an utterance; blocks.
    let transcribe: ([Float]) throws(RecognitionError) -> String

    /// Loads a copy of the embedded model.
    static func embedded(_ library: SpeechEngineLibrary) throws(RecognitionError) -> RecognitionEngine {
        let transcriber: Transcriber
        do throws(SpeechEngineError) {
            transcriber = try Transcriber(library)
        } catch {
            throw RecognitionError(.unavailable, error.message)
        }
        return RecognitionEngine { (samples) throws(RecognitionError) in
            do throws(SpeechEngineError) {
                return try transcriber.transcribe(samples)
            } catch {
                // Is it the audio or the engine? What fails on a second of silence is the engine.
                let isAudio = error.code == .invalidAudio || (try? transcriber.transcribe(silence)) != nil
                throw RecognitionError(isAudio ? .rejectedInput : .unavailable, error.message)
            }
        }
    }

    private static let silence = [Float](repeating: 0, count: Transcriber.sampleRate)
}
