internal import CLibOpus

/// What a whole Opus packet says about its length, once its inner structure was checked (RFC 6716, section 3).
package enum OpusPacketLength {
    /// Samples at 48 kHz in a packet; `nil` when its frames do not add up to its bytes, so that nothing can decode it.
    package static func samples(of packet: some Collection<UInt8>) -> Int? {
        guard (1...OpusDecoder.packetBytesMax).contains(packet.count) else { return nil }
        let count = unsafe withContiguousElements(of: packet) { bytes in
            guard let start = bytes.baseAddress else { return Int32(0) }
            // The frames' places are not asked for; their sizes have to go somewhere.
            var sizes = [Int16](repeating: 0, count: framesMax)
            let frames = unsafe opus_packet_parse(start, Int32(bytes.count), nil, nil, &sizes, nil)
            guard frames > 0 else { return frames }
            return unsafe opus_packet_get_nb_samples(start, Int32(bytes.count), 48_000)
        }
        return count > 0 ? Int(count) : nil
    }

    // RFC 6716, section 3.2.5: 120 ms in frames of 2.5 ms.
    private static let framesMax = 48
}
