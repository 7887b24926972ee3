/// A codec a device may send, by its name on the wire (omi.md 1.4).
package enum AudioCodec: String, Sendable, CaseIterable {
    /// Unsigned 8-bit samples, silence 0x80.
    case pcm8
    /// Signed 16-bit little-endian samples.
    case pcm16
    /// The same as `pcm16` under the name phone calls use.
    case pcm
    /// One Opus packet a message, 10 ms from the firmware, any legal length accepted.
    case opus
    /// One Opus packet a message of 320 samples at 16 kHz.
    case opusFS320 = "opus_fs320"

    /// Whether a message is an Opus packet.
    package var isOpus: Bool { self == .opus || self == .opusFS320 }

    /// Bytes of one sample; 0 for Opus, whose packets describe themselves.
    package var bytesPerSample: Int {
        switch self {
        case .pcm8: 1
        case .pcm16, .pcm: 2
        case .opus, .opusFS320: 0
        }
    }

    /// The sample rates accepted with this codec, in Hz.
    package var sampleRates: [Int] {
        isOpus
            ? [8_000, 12_000, 16_000, 24_000, 48_000]
            : [8_000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000]
    }

    /// Samples a message holds by its first bytes and its length; 0 for an Opus packet that cannot be one.
    ///
    /// Gateway and workers count by the same rule, so that their sample positions agree.
    package func samples(first: UInt8?, second: UInt8?, byteCount: Int, sampleRate: Int) -> Int {
        if isOpus { return OpusPacket.samples(first: first, second: second, sampleRate: sampleRate) ?? 0 }
        return byteCount / bytesPerSample
    }

    /// The names a refusal lists.
    package static var allowedNames: String { allCases.map(\.rawValue).joined(separator: " ") }
}
