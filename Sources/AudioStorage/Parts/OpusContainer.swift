package import AudioCodecs

/// The `.opus` objects of an existing bucket (omi.md section 5): packets with their lengths, no Ogg.
///
/// Two little-endian 32-bit counts, of packets and of bytes of PCM16, then each packet behind a little-endian 16-bit
/// length. Packets tell their own duration.
package struct OpusContainer: Sendable, Equatable {
    /// Bytes of 16-bit samples that the packets stand for; the last packet's surplus is padding.
    package var pcmBytes: Int
    package var packets: [[UInt8]]

    /// Makes a container.
    package init(pcmBytes: Int, packets: [[UInt8]]) {
        self.pcmBytes = pcmBytes
        self.packets = packets
    }

    /// The object's bytes.
    package var encoded: [UInt8] {
        var bytes = Self.littleEndian(UInt32(packets.count)) + Self.littleEndian(UInt32(pcmBytes))
        for packet in packets { bytes += Self.littleEndian(UInt16(packet.count)) + packet }
        return bytes
    }

    /// Reads an object.
    ///
    /// - Throws: `AudioStorageError` with `corrupt` when the counts and the bytes contradict each other.
    package init(decoding bytes: [UInt8]) throws(AudioStorageError) {
        var rest = bytes[...]
        func number(_ size: Int) throws(AudioStorageError) -> Int {
            guard rest.count >= size else { throw AudioStorageError(.corrupt, "the Opus container is cut off") }
            defer { rest = rest.dropFirst(size) }
            return rest.prefix(size).reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        let count = try number(4)
        pcmBytes = try number(4)
        packets = []
        for _ in 0..<count {
            let length = try number(2)
            guard length <= rest.count else { throw AudioStorageError(.corrupt, "the Opus container is cut off") }
            packets.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        guard rest.isEmpty else {
            throw AudioStorageError(.corrupt, "the Opus container has \(rest.count) bytes behind its last packet")
        }
    }

    /// Decodes all packets to mono, and cuts the padding off.
    package func decode(sampleRate: Int) throws(AudioCodecError) -> [Int16] {
        var decoder = try OpusDecoder(sampleRate: sampleRate)
        var pcm: [Int16] = []
        for packet in packets {
            do throws(AudioCodecError) {
                try decoder.decode(packet, into: &pcm)
            } catch {
                let missing = (OpusPacketLength.samples(of: packet) ?? 0) * sampleRate / 48_000
                pcm.append(contentsOf: repeatElement(0, count: missing))
            }
        }
        return Array(pcm.prefix(pcmBytes / 2))
    }

    private static func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}
