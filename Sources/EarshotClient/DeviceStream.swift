package import AudioCodecs
package import NIOCore

/// A recording as the messages in which a device would send it.
///
/// A value is cheap to copy and may be sent by any number of sessions at once. Opus is encoded while iterating, with
/// the wearables' settings (restricted low delay, 32 kbit/s variable, complexity 3); `prepared()` encodes once for
/// all.
package struct DeviceStream: Sendable {
    /// One binary message and the audio it holds.
    package struct Message: Sendable, Equatable {
        /// The bytes to send: samples, or one Opus packet.
        package let payload: ByteBuffer
        /// Where the message's audio begins, from the start of the stream.
        package let offset: Duration
        /// How much audio it holds; with Opus the last one's includes the silence it was filled up with.
        package let duration: Duration
    }

    enum Content: Sendable {
        case samples([Int16])
        case messages([Message])
    }

    /// The PCM lengths taken for one message: less than a millisecond is no message, more than 10 s is no live audio.
    package static let pcmMessageDurations = Duration.milliseconds(1)...Duration.seconds(10)

    /// The codec of the messages.
    package let codec: DeviceCodec
    /// The rate at which the audio is sent, in Hz; the `sample_rate` parameter of the listen endpoint.
    package let wireSampleRate: Int
    /// How many messages there are.
    package let messageCount: Int

    let content: Content
    let sampleCount: Int
    /// Of samples that are still to be divided.
    let samplesPerMessage: Int

    /// How long the recording is.
    package var duration: Duration { Self.duration(sampleCount, at: wireSampleRate) }

    /// Creates the stream of a mono recording, resampling it when the rates differ.
    ///
    /// - Parameters:
    ///   - samples: The recording.
    ///   - sampleRate: Its rate in Hz.
    ///   - codec: How it is sent.
    ///   - wireSampleRate: The rate at which it is sent, in Hz; with Opus one of the five that Opus has.
    ///   - messageDuration: How much audio a message holds; `nil` for the codec's own. With Opus a legal frame length.
    /// - Throws: `AudioCodecError` with `invalidArgument` that names what is allowed.
    package init(
        samples: [Int16], sampleRate: Int, codec: DeviceCodec, wireSampleRate: Int = 16_000,
        messageDuration: Duration? = nil
    ) throws(AudioCodecError) {
        let messageDuration = messageDuration ?? codec.messageDuration
        var resampler = try Resampler(from: sampleRate, to: wireSampleRate)
        samplesPerMessage = try Self.samplesPerMessage(messageDuration, codec: codec, sampleRate: wireSampleRate)
        var converted: [Int16] = []
        resampler.process(samples, into: &converted)
        resampler.flush(into: &converted)
        sampleCount = converted.count
        messageCount = (sampleCount + samplesPerMessage - 1) / samplesPerMessage
        content = .samples(converted)
        self.codec = codec
        self.wireSampleRate = wireSampleRate
    }

    /// A stream of messages that are made.
    init(messages: [Message], codec: DeviceCodec, wireSampleRate: Int, sampleCount: Int) {
        self.codec = codec
        self.wireSampleRate = wireSampleRate
        self.sampleCount = sampleCount
        messageCount = messages.count
        samplesPerMessage = 0
        content = .messages(messages)
    }

    /// Returns the same stream with its messages made, so that many sessions share them at no cost.
    ///
    /// - Throws: `AudioCodecError` when libopus fails.
    package func prepared() throws(AudioCodecError) -> DeviceStream {
        var iterator = try makeIterator()
        var messages: [Message] = []
        messages.reserveCapacity(messageCount)
        while let message = try iterator.next() { messages.append(message) }
        return DeviceStream(
            messages: messages, codec: codec, wireSampleRate: wireSampleRate, sampleCount: sampleCount)
    }

    /// Returns an iterator over the messages, with an encoder of its own.
    ///
    /// - Throws: `AudioCodecError` when libopus fails.
    package func makeIterator() throws(AudioCodecError) -> DeviceStreamIterator {
        try DeviceStreamIterator(stream: self)
    }

    static func duration(_ samples: Int, at rate: Int) -> Duration {
        .seconds(samples / rate) + .nanoseconds(samples % rate * 1_000_000_000 / rate)
    }

    private static func samplesPerMessage(
        _ duration: Duration, codec: DeviceCodec, sampleRate: Int
    ) throws(AudioCodecError) -> Int {
        let lower = pcmMessageDurations.lowerBound
        guard pcmMessageDurations.contains(duration) else {
            throw AudioCodecError(
                .invalidArgument,
                "a message cannot hold \(duration) of audio; allowed are \(lower) to \(pcmMessageDurations.upperBound)")
        }
        let nanoseconds = duration / .nanoseconds(1)
        let count = Int((nanoseconds * Double(sampleRate) / 1e9).rounded())
        if codec.isOpus {
            guard OpusLibrary.sampleRates.contains(sampleRate) else {
                let allowed = OpusLibrary.sampleRates.map(String.init).joined(separator: ", ")
                throw AudioCodecError(
                    .invalidArgument, "\(codec.rawValue) cannot be sent at \(sampleRate) Hz; allowed are \(allowed) Hz")
            }
            guard OpusLibrary.frameLengths(sampleRate: sampleRate).contains(count) else {
                throw AudioCodecError(
                    .invalidArgument,
                    "an Opus packet cannot hold \(duration) of audio; "
                        + "allowed are 2.5, 5, 10, 20, 40, 60, 80, 100 and 120 ms")
            }
        }
        return count
    }
}
