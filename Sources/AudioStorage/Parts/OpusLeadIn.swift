import AudioCodecs

/// The packets a part hands to the next, so that its decoder has settled when the audio begins.
///
/// RFC 7845, section 4.2, asks for at least 80 ms of packets before the first sample that is played in a stream that
/// was cut out of another; pre-skip hides them.
package enum OpusLeadIn {
    /// Samples at 48 kHz: 80 ms.
    package static let samples = 3_840
    /// Bytes kept at most, since they travel in the commits: 80 ms at 64 kbit/s with room to spare.
    package static let bytesMax = 1_024

    /// The lead-in after some more packets: the last ones that last long enough, or as many as may be kept.
    package static func next(after packets: [[UInt8]]) -> [[UInt8]] {
        var kept: [[UInt8]] = []
        var length = 0
        var bytes = 0
        for packet in packets.reversed() {
            bytes += packet.count
            guard length < samples, bytes <= bytesMax else { break }
            kept.append(packet)
            length += OpusPacketLength.samples(of: packet) ?? 0
        }
        return kept.reversed()
    }
}
