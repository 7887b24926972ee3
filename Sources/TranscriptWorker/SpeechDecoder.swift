import AudioCodecs
import EarshotModel
import NIOCore

/// Turns a session's frames into 16 kHz mono samples, from one restart point on.
///
/// A class, because the codec's state cannot be copied and a lane is a value; one lane uses it. What comes out
/// depends on the frames alone, never on how they were batched.
final class SpeechDecoder {
    private let codec: AudioCodec
    private var opus: OpusDecoder?
    private var resampler: Resampler
    private var pcm: [Int16] = []
    private var resampled: [Int16] = []
    /// Frames that could not be decoded; silence stands for them.
    private(set) var corruptFrames: UInt64 = 0

    init(_ parameters: SessionParameters) throws(AudioCodecError) {
        codec = parameters.codec
        opus = codec.isOpus ? try OpusDecoder(sampleRate: parameters.sampleRate) : nil
        resampler = try Resampler(from: parameters.sampleRate, to: SpeechLane.sampleRate)
    }

    /// Decodes one frame.
    ///
    /// - Parameters:
    ///   - frame: the frame's bytes.
    ///   - samples: how many samples the frame stands for; the result is made to fit.
    ///   - skipping: samples of PCM to leave out at its beginning, before a restart point.
    /// - Returns: what came out of the resampler.
    func decode(_ frame: ByteBuffer, samples: Int, skipping: Int) -> [Float] {
        // An empty message is a frame without sound (docs/protocol.md).
        guard frame.readableBytes > 0 else { return [] }
        pcm.removeAll(keepingCapacity: true)
        do throws(AudioCodecError) {
            switch codec {
            case .opus, .opusFS320: try opus?.decode(frame.readableBytesView, into: &pcm)
            case .pcm8: pcm = PCM.widen8(frame.readableBytesView)
            case .pcm16, .pcm: pcm = try PCM.samples(littleEndian: frame.readableBytesView.prefix(samples * 2))
            }
        } catch {
            pcm.removeAll(keepingCapacity: true)
        }
        // A packet that cannot be decoded keeps its time, so that what follows stays where it was.
        if pcm.count != samples || samples == 0 { corruptFrames += 1 }
        if pcm.count < samples { pcm += [Int16](repeating: 0, count: samples - pcm.count) }
        if pcm.count > samples { pcm.removeLast(pcm.count - samples) }
        resampled.removeAll(keepingCapacity: true)
        resampler.process(pcm.dropFirst(skipping), into: &resampled)
        return PCM.floats(resampled)
    }

    /// What the resampler still holds, at the end of the audio.
    func finish() -> [Float] {
        resampled.removeAll(keepingCapacity: true)
        resampler.flush(into: &resampled)
        return PCM.floats(resampled)
    }
}
