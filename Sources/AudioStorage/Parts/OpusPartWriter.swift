import AudioCodecs
import NIOCore

/// Opus packets into an Ogg file, as they came.
final class OpusPartWriter: PartWriter {
    private var writer: OggOpusWriter?
    private let sampleRate: Int

    init(_ specification: PartSpecification) throws {
        sampleRate = specification.sampleRate
        let known = specification.leadIn.compactMap { packet in
            OpusPacketLength.samples(of: packet).map { (packet: packet, samples: $0) }
        }
        // The first part begins where the device's stream did: with a decoder that has heard nothing but silence.
        let silence = OpusSilence.packets(samples: OpusLeadIn.samples)
        let leadIn = known.isEmpty ? silence.map { ($0, OpusSilence.longest) } : known
        var writer = try OggOpusWriter(
            serial: specification.serial,
            head: OggOpusHead(preSkip: leadIn.reduce(0) { $0 + $1.1 }, inputSampleRate: sampleRate),
            comments: specification.comments)
        for (packet, samples) in leadIn { writer.append(packet, samples: samples) }
        self.writer = consume writer
    }

    func append(_ frame: ByteBuffer, samples: Int) throws -> Bool {
        let packet = Array(frame.readableBytesView)
        guard let length = OpusPacketLength.samples(of: packet), length == samples * 48_000 / sampleRate else {
            try appendSilence(samples)
            return false
        }
        writer?.append(packet, samples: length)
        return true
    }

    func appendSilence(_ samples: Int) throws {
        for packet in OpusSilence.packets(samples: samples * 48_000 / sampleRate) {
            writer?.append(packet, samples: OpusPacketLength.samples(of: packet) ?? 0)
        }
    }

    func finish() throws -> [UInt8] {
        guard let writer = writer.take() else { preconditionFailure("a part is finished once") }
        return writer.finish()
    }
}
