package import AudioCodecs
import NIOCore

/// Makes the messages of a `DeviceStream`, one after the other.
///
/// It holds an Opus encoder when the codec is Opus, and is therefore used by one task.
package struct DeviceStreamIterator: ~Copyable {
    private let stream: DeviceStream
    private var encoder: OpusEncoder?
    private var index = 0

    init(stream: DeviceStream) throws(AudioCodecError) {
        self.stream = stream
        guard case .samples = stream.content, stream.codec.isOpus else {
            encoder = nil
            return
        }
        encoder = try OpusEncoder(
            sampleRate: stream.wireSampleRate, application: .restrictedLowDelay, bitrate: 32_000, complexity: 3)
    }

    /// Returns the next message, or `nil` after the last.
    ///
    /// - Throws: `AudioCodecError` when libopus fails.
    package mutating func next() throws(AudioCodecError) -> DeviceStream.Message? {
        guard index < stream.messageCount else { return nil }
        defer { index += 1 }
        switch stream.content {
        case .messages(let messages): return messages[index]
        case .samples(let samples): return try message(of: samples)
        }
    }

    private mutating func message(of samples: [Int16]) throws(AudioCodecError) -> DeviceStream.Message {
        let start = index * stream.samplesPerMessage
        let slice = samples[start..<min(samples.count, start + stream.samplesPerMessage)]
        let bytes: [UInt8]
        var count = slice.count
        switch stream.codec {
        case .pcm8: bytes = PCM.narrow8(slice)
        case .pcm16, .pcm: bytes = PCM.littleEndianBytes(slice)
        case .opus, .opusFS320:
            // Opus has no shorter last frame: the rest of it is silence, as on a device.
            let padding = [Int16](repeating: 0, count: stream.samplesPerMessage - slice.count)
            count = stream.samplesPerMessage
            guard let packet = try encoder?.encode(padding.isEmpty ? slice : slice + padding) else {
                preconditionFailure("a stream of Opus packets has no encoder")
            }
            bytes = packet
        }
        let offset = DeviceStream.duration(start, at: stream.wireSampleRate)
        let end = DeviceStream.duration(start + count, at: stream.wireSampleRate)
        return DeviceStream.Message(payload: ByteBuffer(bytes: bytes), offset: offset, duration: end - offset)
    }
}
