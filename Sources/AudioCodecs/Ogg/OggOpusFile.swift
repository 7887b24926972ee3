/// An Ogg Opus file, taken apart: one logical stream, or several one behind the other (RFC 3533 chaining).
package struct OggOpusFile: Sendable, Equatable {
    /// One logical stream.
    package struct Link: Sendable, Equatable {
        /// The number that tells the stream from its neighbours.
        package var serial: UInt32
        package var head: OggOpusHead
        /// The comment header's entries, `NAME=value` each.
        package var comments: [String]
        /// The audio packets, in order.
        package var packets: [[UInt8]]
        /// Position behind the last sample to be played, in samples at 48 kHz since the first packet's first.
        package var endGranule: Int

        /// Samples at 48 kHz that are played.
        package var samples: Int { max(0, endGranule - head.preSkip) }
    }

    /// The logical streams, in order.
    package var links: [Link]

    /// Samples at 48 kHz that are played.
    package var samples: Int { links.reduce(0) { $0 + $1.samples } }
    /// Seconds that are played.
    package var seconds: Double { Double(samples) / 48_000 }

    /// Decodes all of it to mono.
    ///
    /// A packet that cannot be decoded is silence of the length it claims.
    ///
    /// - Parameter sampleRate: of the result; one of those that libopus decodes to.
    /// - Returns: the samples that a player would play.
    /// - Throws: `AudioCodecError` for a rate libopus does not know.
    package func decode(sampleRate: Int) throws(AudioCodecError) -> [Int16] {
        var pcm: [Int16] = []
        for link in links {
            var decoder = try OpusDecoder(sampleRate: sampleRate)
            var decoded: [Int16] = []
            for packet in link.packets {
                do throws(AudioCodecError) {
                    try decoder.decode(packet, into: &decoded)
                } catch {
                    let missing = (OpusPacketLength.samples(of: packet) ?? 0) * sampleRate / 48_000
                    decoded.append(contentsOf: repeatElement(0, count: missing))
                }
            }
            let skipped = min(decoded.count, link.head.preSkip * sampleRate / 48_000)
            let end = max(skipped, min(decoded.count, link.endGranule * sampleRate / 48_000))
            pcm.append(contentsOf: decoded[skipped..<end])
        }
        return pcm
    }
}
