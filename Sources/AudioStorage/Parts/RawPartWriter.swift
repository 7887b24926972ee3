import AudioCodecs
import EarshotModel
import NIOCore

/// Any codec into raw signed 16-bit little-endian samples at the device's rate: the `omi` format.
final class RawPartWriter: PartWriter {
    private let codec: AudioCodec
    private var decoder: OpusDecoder?
    private var bytes: [UInt8] = []
    private var pcm: [Int16] = []

    init(_ specification: PartSpecification) throws {
        codec = specification.codec
        guard codec.isOpus else { return }
        var decoder = try OpusDecoder(sampleRate: specification.sampleRate)
        var settling: [Int16] = []
        for packet in specification.leadIn { _ = try? decoder.decode(packet, into: &settling) }
        self.decoder = consume decoder
    }

    func append(_ frame: ByteBuffer, samples: Int) throws -> Bool {
        pcm.removeAll(keepingCapacity: true)
        var isSound = true
        if codec.isOpus {
            isSound = (try? decoder?.decode(frame.readableBytesView, into: &pcm)) == samples
        } else {
            pcm = try codec.pcm(frame, samples: samples)
            isSound = frame.readableBytes == samples * codec.bytesPerSample
        }
        if pcm.count > samples { pcm.removeLast(pcm.count - samples) }
        bytes += PCM.littleEndianBytes(pcm)
        try appendSilence(samples - pcm.count)
        return isSound && samples > 0
    }

    func appendSilence(_ samples: Int) throws {
        bytes.append(contentsOf: repeatElement(0, count: max(0, samples) * 2))
    }

    func finish() throws -> [UInt8] { bytes }
}
