import AudioCodecs
import Foundation
import NIOCore
import Testing

@testable import EarshotClient

@Suite("Device streams")
struct DeviceStreamTests {
    static func tone(sampleRate: Int, count: Int) -> [Int16] {
        (0..<count).map { Int16(12_000 * sin(2 * .pi * 440 * Double($0) / Double(sampleRate))) }
    }

    private func messages(_ stream: DeviceStream) throws -> [DeviceStream.Message] {
        var iterator = try stream.makeIterator()
        var messages: [DeviceStream.Message] = []
        while let message = try iterator.next() { messages.append(message) }
        #expect(messages.count == stream.messageCount)
        return messages
    }

    @Test(
        "PCM messages hold every sample once, the last one what is left", arguments: [DeviceCodec.pcm, .pcm16, .pcm8])
    func pcm(codec: DeviceCodec) throws {
        let samples = Self.tone(sampleRate: 16_000, count: 16_000 + 5)
        let stream = try DeviceStream(samples: samples, sampleRate: 16_000, codec: codec)
        let messages = try messages(stream)
        #expect(messages.count == 11)
        let bytes = messages.flatMap { [UInt8](buffer: $0.payload) }
        if codec == .pcm8 {
            #expect(bytes == PCM.narrow8(samples))
        } else {
            #expect(try PCM.samples(littleEndian: bytes) == samples)
        }
        #expect(messages[3].offset == .milliseconds(300))
        #expect(messages[3].duration == .milliseconds(100))
        #expect(messages[10].duration == .nanoseconds(312_500))
        #expect(stream.duration == .seconds(1) + .nanoseconds(312_500))
    }

    @Test("An Opus message is one packet of the codec's length", arguments: [DeviceCodec.opus, .opusFS320])
    func opus(codec: DeviceCodec) throws {
        let samples = Self.tone(sampleRate: 16_000, count: 16_000 + 5)
        let messages = try messages(DeviceStream(samples: samples, sampleRate: 16_000, codec: codec))
        let frame = codec == .opus ? 160 : 320
        #expect(messages.count == 16_000 / frame + 1)
        var decoder = try OpusDecoder(sampleRate: 16_000)
        var decoded: [Int16] = []
        for message in messages {
            #expect(try decoder.decode(message.payload.readableBytesView, into: &decoded) == frame)
            #expect(message.duration == (codec == .opus ? .milliseconds(10) : .milliseconds(20)))
            #expect(message.payload.readableBytes <= 160)
        }
        let loudness = decoded[8_000..<9_000].map { Int($0).magnitude }.max() ?? 0
        #expect((9_000...15_000).contains(loudness))
    }

    @Test("A prepared stream is the same stream", arguments: DeviceCodec.allCases)
    func prepared(codec: DeviceCodec) throws {
        let samples = Self.tone(sampleRate: 16_000, count: 5_000)
        let stream = try DeviceStream(samples: samples, sampleRate: 16_000, codec: codec)
        let prepared = try stream.prepared()
        #expect(try messages(prepared) == messages(stream))
        #expect(prepared.duration == stream.duration)
    }

    @Test("A recording of another rate is resampled to the wire's", arguments: [8_000, 44_100, 48_000])
    func resampled(sampleRate: Int) throws {
        let samples = Self.tone(sampleRate: sampleRate, count: sampleRate)
        let stream = try DeviceStream(samples: samples, sampleRate: sampleRate, codec: .pcm16)
        #expect(stream.duration == .seconds(1))
        #expect(try messages(stream).map(\.payload.readableBytes).reduce(0, +) == 32_000)
    }

    @Test("Messages of a rate that does not divide evenly lose no time")
    func unevenRate() throws {
        let stream = try DeviceStream(
            samples: Self.tone(sampleRate: 44_100, count: 44_100), sampleRate: 44_100, codec: .pcm16,
            wireSampleRate: 44_100, messageDuration: .milliseconds(33))
        var position = Duration.zero
        for message in try messages(stream) {
            #expect(message.offset == position)
            position += message.duration
        }
        #expect(position == .seconds(1))
    }

    @Test("Nothing recorded is nothing sent", arguments: DeviceCodec.allCases)
    func empty(codec: DeviceCodec) throws {
        #expect(try messages(DeviceStream(samples: [], sampleRate: 16_000, codec: codec)).isEmpty)
    }

    @Test("What a codec cannot do is refused by name")
    func refused() {
        func message(_ codec: DeviceCodec, _ rate: Int, _ duration: Duration?) -> String {
            do {
                _ = try DeviceStream(
                    samples: [1, 2, 3], sampleRate: 16_000, codec: codec, wireSampleRate: rate,
                    messageDuration: duration)
                return "accepted"
            } catch { return error.message }
        }
        #expect(message(.opus, 44_100, nil).contains("8000, 12000, 16000, 24000, 48000"))
        #expect(message(.opus, 16_000, .milliseconds(15)).contains("2.5, 5, 10"))
        #expect(message(.opusFS320, 16_000, .milliseconds(200)).contains("2.5, 5, 10"))
        #expect(message(.pcm16, 16_000, .zero).contains("allowed are"))
        #expect(message(.pcm16, 16_000, .seconds(11)).contains("allowed are"))
        #expect(message(.pcm16, 16_000, .seconds(-1)).contains("allowed are"))
        #expect(message(.pcm16, 0, nil).contains("0 Hz"))
        #expect(message(.opus, 16_000, .milliseconds(60)) == "accepted")
        #expect(message(.opus, 8_000, .microseconds(2_500)) == "accepted")
    }

    @Test("The codecs have their names on the wire")
    func names() {
        #expect(DeviceCodec.allCases.map(\.rawValue) == ["pcm8", "pcm16", "pcm", "opus", "opus_fs320"])
    }
}
