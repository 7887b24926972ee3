import AudioStreams
import EarshotModel
import Logging
import NIOCore
import ServiceLifecycle
import SpeechRecognition
import TestSupport
import WorkerRuntime

@testable import TranscriptWorker

/// A recogniser that "hears" how long an utterance is and how loud it begins, so that texts tell utterances apart.
struct LengthRecognizer: SpeechRecognizer {
    let name = "length"

    func transcribe(_ samples: [Float], priority: RecognitionPriority) async throws(RecognitionError) -> String {
        let energy = samples.reduce(0) { $0 + abs($1) }
        return "\(samples.count) samples, energy \(Int(energy * 100))"
    }
}

/// Loud windows are speech.
struct LoudnessActivity: VoiceActivityModel {
    struct Stream: VoiceActivityStream {
        mutating func probability(of window: ArraySlice<Float>) throws(RecognitionError) -> Float {
            window.reduce(0) { $0 + abs($1) } / Float(window.count) > 0.05 ? 0.9 : 0.1
        }
    }

    func makeStream() -> any VoiceActivityStream { Stream() }
}

/// Audio with speech-like bursts at known places.
enum Bursts {
    /// PCM16 little-endian at 16 kHz: for each pair so many ms of tone, then so many ms of silence.
    static func pcm(_ pattern: [(tone: Int, silence: Int)]) -> [UInt8] {
        pcm(pattern.map { (tone: $0.tone, silence: $0.silence, isLoud: false) })
    }

    /// The same; a loud tone is three times as strong.
    static func pcm(_ pattern: [(tone: Int, silence: Int, isLoud: Bool)]) -> [UInt8] {
        var bytes: [UInt8] = []
        var state: UInt32 = 1
        for (tone, silence, isLoud) in pattern {
            for index in 0..<(tone + silence) * 16 {
                state = state &* 1_664_525 &+ 1_013_904_223
                let sample = index < tone * 16 ? Int16((Int(state >> 16) % 12_000 - 6_000) * (isLoud ? 3 : 1)) : 0
                bytes += [UInt8(truncatingIfNeeded: sample), UInt8(truncatingIfNeeded: sample >> 8)]
            }
        }
        return bytes
    }
}
