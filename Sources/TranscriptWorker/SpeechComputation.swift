import EarshotModel
import SpeechRecognition

/// Decoder, resampler and segmenter from one restart point on; thrown away at the segmenter's outcome.
struct SpeechComputation {
    private let decoder: SpeechDecoder
    var segmenter: SpeechSegmenter
    private var knownBroken: UInt64 = 0

    init(_ parameters: SessionParameters, _ voiceActivity: any VoiceActivityModel) throws {
        decoder = try SpeechDecoder(parameters)
        segmenter = SpeechSegmenter(voiceActivity)
    }

    /// Decodes a frame and feeds what comes out.
    mutating func feed(_ frame: HeldFrame, skipping: Int) throws(RecognitionError) -> SpeechSegmenter.Outcome? {
        let samples = decoder.decode(frame.bytes, samples: frame.samples, skipping: skipping)
        return try segmenter.feed(samples[...])
    }

    /// Whether the frame fed last could not be decoded.
    mutating func takeBroken() -> Bool {
        defer { knownBroken = decoder.corruptFrames }
        return decoder.corruptFrames > knownBroken
    }

    /// Ends the audio; what is being said is the last utterance.
    mutating func finish() throws(RecognitionError) -> Utterance? {
        switch try segmenter.feed(decoder.finish()[...]) {
        case .utterance(let utterance, _): return utterance
        // The resampler's last samples made the silence long enough: nothing is open, and the segmenter is spent.
        case .quiet: return nil
        case nil: return try segmenter.finish()
        }
    }

    /// The open utterance's place, for interim segments.
    var openSpeech: Range<Int> {
        let count = segmenter.openUtterance?.count ?? 0
        return segmenter.position - count..<segmenter.position
    }
}
