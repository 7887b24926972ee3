import AudioCodecs
import EarshotModel
import NIOCore

/// PCM into an Ogg file, encoded once.
final class PCMPartWriter: PartWriter {
    private var encoder: OggOpusEncoder?
    private let codec: AudioCodec

    init(_ specification: PartSpecification) throws {
        codec = specification.codec
        encoder = try OggOpusEncoder(
            sampleRate: specification.sampleRate, serial: specification.serial, comments: specification.comments)
    }

    func append(_ frame: ByteBuffer, samples: Int) throws -> Bool {
        try encoder?.append(codec.pcm(frame, samples: samples))
        return frame.readableBytes == samples * codec.bytesPerSample
    }

    func appendSilence(_ samples: Int) throws {
        // In pieces: a minute at 48 kHz would be six megabytes of zeros.
        var rest = samples
        while rest > 0 {
            let count = min(rest, 48_000)
            try encoder?.append(repeatElement(0, count: count))
            rest -= count
        }
    }

    func finish() throws -> [UInt8] {
        guard let encoder = encoder.take() else { preconditionFailure("a part is finished once") }
        return try encoder.finish()
    }
}

extension AudioCodec {
    /// The samples of a frame of PCM; a byte too many is left out.
    func pcm(_ frame: ByteBuffer, samples: Int) throws(AudioCodecError) -> [Int16] {
        switch self {
        case .pcm8: PCM.widen8(frame.readableBytesView)
        case .pcm16, .pcm: try PCM.samples(littleEndian: frame.readableBytesView.prefix(samples * 2))
        case .opus, .opusFS320: preconditionFailure("Opus packets are no PCM")
        }
    }
}
