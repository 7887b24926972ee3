/// What the first bytes of an Opus packet say about its length (RFC 6716, 3.1 and 3.2), without decoding it.
package enum OpusPacket {
    /// Samples at 48 kHz in one frame of each TOC configuration 0…31.
    private static let frameSamples: [Int] = [
        480, 960, 1920, 2880, 480, 960, 1920, 2880, 480, 960, 1920, 2880,
        480, 960, 480, 960,
        120, 240, 480, 960, 120, 240, 480, 960, 120, 240, 480, 960, 120, 240, 480, 960,
    ]

    /// Counts the samples of a packet.
    ///
    /// - Parameters:
    ///   - first: the packet's first byte, if any.
    ///   - second: its second byte, which counts the frames of a code 3 packet.
    ///   - sampleRate: the decoder's rate in Hz.
    /// - Returns: the samples at that rate, or `nil` when the first bytes cannot belong to a legal packet.
    package static func samples(first: UInt8?, second: UInt8?, sampleRate: Int) -> Int? {
        guard let first else { return nil }
        let frames: Int
        switch first & 3 {
        case 0: frames = 1
        case 1, 2: frames = 2
        default:
            guard let second, second & 63 > 0 else { return nil }
            frames = Int(second & 63)
        }
        let samplesAt48 = frames * frameSamples[Int(first >> 3)]
        // 120 ms is the longest packet there may be.
        guard samplesAt48 <= 5760 else { return nil }
        return samplesAt48 * sampleRate / 48_000
    }
}
