package import AudioCodecs
import NIOCore

extension DeviceStream {
    /// Creates the stream of an Ogg Opus file: its packets as they are, of one logical stream after the other.
    ///
    /// Its codec is `opus_fs320` where every packet is what that says, 20 ms at 16 kHz, and else `opus`. A file of two
    /// channels is sent like one of one: whoever decodes it mixes them.
    ///
    /// - Parameters:
    ///   - file: What is sent, the samples that a player skips included.
    ///   - wireSampleRate: The rate at which it is to be decoded, in Hz; one of the five that Opus has.
    /// - Throws: `AudioCodecError` with `invalidArgument` for another rate, `corruptFile` for what is no Opus packet.
    package init(_ file: OggOpusFile, wireSampleRate: Int = 16_000) throws(AudioCodecError) {
        guard OpusLibrary.sampleRates.contains(wireSampleRate) else {
            let allowed = OpusLibrary.sampleRates.map(String.init).joined(separator: ", ")
            throw AudioCodecError(
                .invalidArgument, "Opus cannot be sent at \(wireSampleRate) Hz; allowed are \(allowed) Hz")
        }
        var messages: [Message] = []
        var count = 0
        var isFS320 = wireSampleRate == 16_000
        for packet in file.links.lazy.flatMap(\.packets) {
            guard let length = OpusPacketLength.samples(of: packet) else {
                throw AudioCodecError(.corruptFile, "packet \(messages.count) of the Ogg file is no Opus packet")
            }
            isFS320 = isFS320 && length == Self.fs320Samples
            messages.append(
                Message(
                    payload: ByteBuffer(bytes: packet), offset: Self.duration(count, at: 48_000),
                    duration: Self.duration(length, at: 48_000)))
            count += length
        }
        self.init(
            messages: messages, codec: isFS320 ? .opusFS320 : .opus, wireSampleRate: wireSampleRate,
            sampleCount: count * wireSampleRate / 48_000)
    }

    /// 20 ms, in samples at 48 kHz.
    private static let fs320Samples = 960
}
