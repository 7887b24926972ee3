import AudioCodecs
import EarshotModel
import NIOCore

/// Turns a session's frames into samples at the device's rate.
///
/// A class, because the codec's state cannot be copied and a lane is a value; one lane uses it.
final class FrameDecoder {
    private let codec: AudioCodec
    private var opus: OpusDecoder?

    init(_ parameters: SessionParameters) throws(AudioCodecError) {
        codec = parameters.codec
        opus = codec.isOpus ? try OpusDecoder(sampleRate: parameters.sampleRate) : nil
    }

    /// Forgets what came before.
    func reset() { opus?.reset() }

    /// Decodes a frame to exactly as many samples as it stands for; silence stands for what cannot be decoded.
    func decode(_ frame: ByteBuffer, samples: Int) -> [Int16] {
        var pcm: [Int16] = []
        do throws(AudioCodecError) {
            switch codec {
            case .opus, .opusFS320: try opus?.decode(frame.readableBytesView, into: &pcm)
            case .pcm8: pcm = PCM.widen8(frame.readableBytesView)
            case .pcm16, .pcm: pcm = try PCM.samples(littleEndian: frame.readableBytesView.prefix(samples * 2))
            }
        } catch {
            pcm = []
        }
        if pcm.count < samples { pcm += [Int16](repeating: 0, count: samples - pcm.count) }
        return pcm.count > samples ? Array(pcm.prefix(samples)) : pcm
    }
}
