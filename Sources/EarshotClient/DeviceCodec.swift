/// A codec as the `codec` parameter of the listen endpoint names it.
package enum DeviceCodec: String, CaseIterable, Sendable {
    /// Unsigned 8-bit samples, 0x80 is silence.
    case pcm8
    /// Signed 16-bit little-endian samples.
    case pcm16
    /// The same as `pcm16` under its other name.
    case pcm
    /// One Opus packet a message, of 10 ms unless said otherwise.
    case opus
    /// One Opus packet of 20 ms a message: at 16 kHz, 320 samples.
    case opusFS320 = "opus_fs320"

    /// Whether a message is one Opus packet.
    package var isOpus: Bool {
        switch self {
        case .opus, .opusFS320: true
        case .pcm8, .pcm16, .pcm: false
        }
    }

    /// How much audio one message holds unless said otherwise.
    package var messageDuration: Duration {
        switch self {
        case .pcm8, .pcm16, .pcm: .milliseconds(100)
        case .opus: .milliseconds(10)
        case .opusFS320: .milliseconds(20)
        }
    }
}
