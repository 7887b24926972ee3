import AudioCodecs
import AudioStreams
import DeliveryWorkers
import EarshotModel
import Synchronization
import TestSupport
import Testing
import WebhookDelivery

/// Devices that fall silent: what they said before is through all the same, and holds up nobody.
@Suite(.timeLimit(.minutes(3))) struct AudioBytesQuietTests {
    private func endpoint(_ url: String, seconds: Int, policy: AudioEndpoint.Policy = .all) -> AudioEndpoint {
        AudioEndpoint(
            id: UniqueID(high: 7, low: 1).description, url: url, secrets: [SigningKey.newShared().text],
            windowSeconds: seconds, policy: policy)
    }

    private func pcm(_ samples: Range<Int>) -> [UInt8] {
        PCM.littleEndianBytes(samples.map { Int16(truncatingIfNeeded: $0 &* 7) })
    }

    /// Frames of 20 ms.
    private func frames(_ codec: AudioCodec, _ samples: Range<Int>) throws -> [[UInt8]] {
        var encoder = try OpusEncoder(
            sampleRate: AudioBytesFixture.rate, application: .restrictedLowDelay, bitrate: 32_000, complexity: 3)
        return try stride(from: samples.lowerBound, to: samples.upperBound, by: 320).map { first in
            guard codec.isOpus else { return pcm(first..<first + 320) }
            return try encoder.encode((first..<first + 320).map { Int16($0 % 97 * 100) }[...])
        }
    }

    @Test(
        "A window ends behind a silence, whatever follows: all is delivered and committed, and numbers go on",
        arguments: [AudioCodec.pcm16, .opusFS320])
    func shortWindow(codec: AudioCodec) async throws {
        try await Receiver.with { receiver in
            var fixture = try await AudioBytesFixture([endpoint(receiver.url, seconds: 5)], codec: codec)
            fixture.deliveryLimits.audioQuiet = .milliseconds(300)
            var sample: UInt64 = 0
            var sequence: UInt64 = 0
            // Two seconds, a silence, and two seconds more whose times join the first.
            for turn in 1...2 {
                let samples = 32_000 * (turn - 1)..<32_000 * turn
                try await fixture.append(
                    try frames(codec, samples), samplesEach: 320, from: &sample, sequence: &sequence)
                let messages = sequence
                // Each time by a worker of its own: nothing but what was committed is known to the second.
                try await fixture.working(abrupt: turn == 1) {
                    try await eventually("all is committed") { try await fixture.next == messages }
                    #expect(receiver.received.map(\.sequence) == Array(0..<turn))
                }
            }
            #expect(receiver.received.map(\.body.count) == [64_000, 64_000])
            if codec == .pcm16 { #expect(receiver.received.flatMap(\.body) == pcm(0..<64_000)) }
        }
    }

    @Test("A worker that dies with the short window on its way: the next one sends the same under the same number")
    func takeOver() async throws {
        try await Receiver.with { _ in
            .hang
        } _: { receiver in
            var fixture = try await AudioBytesFixture([endpoint(receiver.url, seconds: 5)])
            fixture.deliveryLimits.audioQuiet = .milliseconds(300)
            fixture.deliveryLimits.totalTimeout = .seconds(30)
            var sample: UInt64 = 0
            var sequence: UInt64 = 0
            try await fixture.append(
                try frames(.pcm16, 0..<32_000), samplesEach: 320, from: &sample, sequence: &sequence)
            try await fixture.working(abrupt: true) {
                try await eventually("the short window hangs") { receiver.received.count == 1 }
            }
            receiver.answer { _ in .status(200) }
            // What follows joins it in time, and does not become part of it.
            try await fixture.append(
                try frames(.pcm16, 32_000..<64_000), samplesEach: 320, from: &sample, sequence: &sequence)
            try await fixture.end()
            try await fixture.working { try await eventually("the session is done") { try await fixture.isDone } }
            let first = receiver.received.filter { $0.sequence == 0 }
            #expect(first.count == 2 && first[0].body == first[1].body && first[0].id == first[1].id)
            #expect(receiver.received.last?.sequence == 1)
            #expect(receiver.received.last?.body == pcm(32_000..<64_000))
        }
    }

    @Test("Without an endpoint, or once it is gone, a silent session holds up nothing")
    func withoutEndpoint() async throws {
        var fixture = try await AudioBytesFixture([])
        fixture.deliveryLimits.audioQuiet = .milliseconds(300)
        var sample: UInt64 = 0
        var sequence: UInt64 = 0
        try await fixture.append(try frames(.pcm16, 0..<6_400), samplesEach: 320, from: &sample, sequence: &sequence)
        let messages = sequence
        try await fixture.working {
            try await eventually("all is committed") { try await fixture.next == messages }
            let lag = try await fixture.handOff.lag(of: .audioBytes, stream: .audio, in: [fixture.partition])
            #expect(lag.first?.length == 2)
            try await eventually("the position follows") {
                let lag = try await fixture.handOff.lag(of: .audioBytes, stream: .audio, in: [fixture.partition])
                return lag.first?.entries == 0
            }
        }
    }

    @Test("A receiver that must get everything, and does not answer, does not hold a silent session's audio for ever")
    func parks() async throws {
        try await Receiver.with { _ in
            .status(500)
        } _: { receiver in
            var fixture = try await AudioBytesFixture([endpoint(receiver.url, seconds: 1)]) { limits in
                limits.parkAfter = .milliseconds(500)
            }
            fixture.deliveryLimits.audioQuiet = .milliseconds(100)
            fixture.deliveryLimits.heldAudioMaximum = .milliseconds(800)
            var sample: UInt64 = 0
            var sequence: UInt64 = 0
            try await fixture.append(
                try frames(.pcm16, 0..<9_600), samplesEach: 320, from: &sample, sequence: &sequence)
            try await fixture.working {
                try await eventually("it is parked, and the stream is free") {
                    let lag = try await fixture.handOff.lag(of: .audioBytes, stream: .audio, in: [fixture.partition])
                    return lag.first?.entries == 0 && lag.first?.parkedEntries == 3
                }
                receiver.answer { _ in .status(200) }
                let messages = sequence
                try await eventually("it is delivered after all") { try await fixture.next == messages }
            }
            #expect(receiver.received.last?.body == pcm(0..<9_600))
        }
    }
}
