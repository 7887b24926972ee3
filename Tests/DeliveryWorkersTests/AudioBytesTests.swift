import AudioCodecs
import AudioStreams
import DeliveryWorkers
import EarshotModel
import HTTPTransport
import NIOCore
import Synchronization
import TestSupport
import Testing
import WebhookDelivery

@Suite struct AudioBytesTests {
    private func endpoint(
        _ url: String, id: UInt64 = 1, seconds: Int = 1, policy: AudioEndpoint.Policy = .latest,
        key: SigningKey = .newShared()
    ) -> AudioEndpoint {
        AudioEndpoint(
            id: UniqueID(high: 7, low: id).description, url: url, secrets: [key.text], windowSeconds: seconds,
            policy: policy)
    }

    /// Samples that say where they are.
    private func pcm(_ samples: Range<Int>) -> [UInt8] {
        PCM.littleEndianBytes(samples.map { Int16(truncatingIfNeeded: $0 &* 7) })
    }

    private func frames(from first: Int = 0, _ samples: Int, each: Int = 320) -> [[UInt8]] {
        stride(from: first, to: first + samples, by: each).map { pcm($0..<min($0 + each, first + samples)) }
    }

    @Test("Windows of the length asked for, the rest at the end, in order, signed, with where and when they are from")
    func windows() async throws {
        try await Receiver.with(path: "/audio?uid=x&k=v") { receiver in
            let key = SigningKey.newShared()
            let fixture = try await AudioBytesFixture([endpoint(receiver.url, policy: .all, key: key)])
            var sample: UInt64 = 0
            var sequence: UInt64 = 0
            let samples = 40_000
            try await fixture.append(frames(samples), samplesEach: 320, from: &sample, sequence: &sequence)
            try await fixture.end()
            try await fixture.working { try await eventually("the session is done") { try await fixture.isDone } }
            let received = receiver.received
            #expect(received.map(\.body.count) == [32_000, 32_000, 16_000])
            let isWhole = received.flatMap(\.body) == pcm(0..<samples)
            #expect(isWhole)
            #expect(received.map(\.sequence) == [0, 1, 2])
            let first = try #require(received.first)
            #expect(first.uri == "/audio?k=v&sample_rate=16000&uid=alice")
            #expect(first.header("content-type") == "application/octet-stream")
            #expect(first.header("earshot-session") == fixture.session.id.description)
            #expect(first.header("earshot-capture-time") == ISOTime.text(TestSession.epoch))
            #expect(received[2].header("earshot-capture-time") == ISOTime.text(TestSession.epoch + 2_000_000))
            let time = try #require(Int64(first.header("webhook-timestamp") ?? ""))
            #expect(
                first.header("webhook-signature")
                    == WebhookSignature.headers(id: first.id, timestamp: time, body: first.body, keys: [key])[2].value)
            #expect(
                first.header("earshot-digest-signature")
                    == WebhookSignature.digestHeaders(id: first.id, timestamp: time, body: first.body, keys: [key])[1]
                    .value)
        }
    }

    @Test("A receiver that hangs holds up nobody else's windows, and gets all of its own when it is back")
    func independent() async throws {
        try await Receiver.with { _ in
            .hang
        } _: { slow in
            try await Receiver.with { quick in
                var fixture = try await AudioBytesFixture(
                    [endpoint(slow.url, policy: .all), endpoint(quick.url, id: 2)])
                fixture.deliveryLimits.totalTimeout = .milliseconds(500)
                fixture.deliveryLimits.breakerFailures = 1_000
                var sample: UInt64 = 0
                var sequence: UInt64 = 0
                try await fixture.working {
                    for _ in 0..<10 {
                        let had = quick.received.count
                        try await fixture.append(frames(16_000), samplesEach: 320, from: &sample, sequence: &sequence)
                        try await eventually("the quick one has it") { quick.received.count > had }
                    }
                    #expect(Set(slow.received.map(\.sequence)) == [0])
                    slow.answer { _ in .status(200) }
                    try await fixture.end()
                    try await eventually("the session is done") { try await fixture.isDone }
                }
                #expect(quick.received.map(\.sequence) == Array(0..<10))
                #expect(Set(slow.received.map(\.sequence)) == Set(0..<10))
                #expect(Set(slow.received.map(\.id)).count == 10)
            }
        }
    }

    @Test("However many receivers hang, half of the slots are there for those that answer")
    func reserved() async throws {
        try await Receiver.with { _ in
            .hang
        } _: { hanging in
            try await Receiver.with { quick in
                // The quick one is asked first, so that it is known.
                let hooks = [endpoint(quick.url)] + (2..<20).map { endpoint(hanging.url, id: $0) }
                var fixture = try await AudioBytesFixture(hooks)
                fixture.deliveryLimits.slots = 8
                fixture.deliveryLimits.totalTimeout = .seconds(60)
                var sample: UInt64 = 0
                var sequence: UInt64 = 0
                try await fixture.working {
                    for _ in 0..<4 {
                        let had = quick.received.count
                        try await fixture.append(frames(16_000), samplesEach: 320, from: &sample, sequence: &sequence)
                        try await eventually("the quick one has it") { quick.received.count > had }
                    }
                    try await eventually("the others have what they may") { hanging.received.count >= 4 }
                }
                #expect(hanging.received.count == 4)
            }
        }
    }

    @Test("Opus is decoded to PCM; several endpoints get windows of their own length")
    func opus() async throws {
        try await Receiver.with { one in
            try await Receiver.with { other in
                let fixture = try await AudioBytesFixture(
                    [endpoint(one.url, policy: .all), endpoint(other.url, id: 2, seconds: 2, policy: .all)],
                    codec: .opusFS320)
                var sample: UInt64 = 0
                var sequence: UInt64 = 0
                try await fixture.append(opusPackets(250), samplesEach: 320, from: &sample, sequence: &sequence)
                try await fixture.end()
                try await fixture.working { try await eventually("the session is done") { try await fixture.isDone } }
                #expect(one.received.map(\.body.count) == [32_000, 32_000, 32_000, 32_000, 32_000])
                #expect(other.received.map(\.body.count) == [64_000, 64_000, 32_000])
                let pairs = zip(one.received.flatMap(\.samples), other.received.flatMap(\.samples))
                let difference = pairs.map { abs(Int($0) - Int($1)) }.max() ?? .max
                #expect(difference <= 2, "a window is decoded from a warm-up of its own")
                #expect(one.received[1].body.contains { $0 != 0 })
            }
        }
    }

    @Test("A slow receiver gets the latest windows, and is told how many were skipped")
    func latest() async throws {
        try await Receiver.with { _ in
            .status(500)
        } _: { receiver in
            let fixture = try await AudioBytesFixture([endpoint(receiver.url)])
            var sample: UInt64 = 0
            var sequence: UInt64 = 0
            try await fixture.working {
                for _ in 0..<6 {
                    try await fixture.append(frames(16_000), samplesEach: 320, from: &sample, sequence: &sequence)
                }
                try await eventually("all audio is taken in, one window is left") {
                    let session = try await fixture.handOff.session(
                        fixture.session.id, group: .audioBytes, in: fixture.partition)
                    return (session?.progress.next ?? 0) >= 200
                }
                receiver.answer { _ in .status(200) }
                try await fixture.end()
                try await eventually("the session is done") { try await fixture.isDone }
            }
            let last = try #require(receiver.received.last)
            #expect(last.sequence == 5)
            let skipped = try #require(Int(last.header("earshot-skipped") ?? ""))
            #expect((4...5).contains(skipped))
        }
    }

    @Test("A device that falls silent gets its audio delivered and committed all the same, whatever waited")
    func silence() async throws {
        let failures = Mutex(2)
        try await Receiver.with { _ in
            failures.withLock { left in
                left -= 1
                return left >= 0 ? .status(500) : .status(200)
            }
        } _: { receiver in
            let fixture = try await AudioBytesFixture([endpoint(receiver.url, policy: .all)])
            var sample: UInt64 = 0
            var sequence: UInt64 = 0
            for _ in 0..<6 {
                try await fixture.append(frames(16_000), samplesEach: 320, from: &sample, sequence: &sequence)
            }
            let messages = sequence
            try await fixture.working {
                try await eventually("all is committed") { try await fixture.next == messages }
            }
            #expect(try await !fixture.isDone)
            #expect(receiver.received.map(\.sequence) == [0, 0, 0, 1, 2, 3, 4, 5])
        }
    }

    @Test("Every request is told with its status, its time and the first of the answer, without secrets")
    func attempts() async throws {
        let hasFailed = Mutex(false)
        try await Receiver.with { request in
            let isFirst = hasFailed.withLock { known in
                defer { known = true }
                return !known
            }
            return isFirst ? .status(500, body: "no: \(request.header("x-key") ?? "")") : .status(200)
        } _: { receiver in
            var hook = endpoint(receiver.url, policy: .all)
            hook.headers = ["X-Key": "seven"]
            let fixture = try await AudioBytesFixture([hook])
            var sample: UInt64 = 0
            var sequence: UInt64 = 0
            try await fixture.append(frames(32_000), samplesEach: 320, from: &sample, sequence: &sequence)
            try await fixture.end()
            try await fixture.working { try await eventually("the session is done") { try await fixture.isDone } }
            let attempts = fixture.reported.attempts
            #expect(attempts.map(\.id) == receiver.received.map(\.id))
            #expect(attempts.last?.isDelivered == true)
            let first = try #require(attempts.first { !$0.isDelivered })
            #expect((first.status, first.error, first.response) == (500, "status 500", "no: [withheld]"))
            #expect(first.remote?.hasPrefix("127.0.0.1") == true)
            #expect(first.endpoint == hook.id)
        }
    }

    @Test("A key that was rotated out does not sign after its end; concurrency and rate hold over sessions")
    func bounds() async throws {
        try await Receiver.with { receiver in
            let keys = [SigningKey.newShared(), .newShared(), .newShared()]
            var hook = endpoint(receiver.url, policy: .all)
            hook.secrets = keys.map(\.text)
            hook.secretExpiries = [nil, WallClock.microseconds + 600_000_000, WallClock.microseconds - 1]
            hook.rate = 2
            var fixture = try await AudioBytesFixture([hook])
            fixture.deliveryLimits.totalTimeout = .seconds(30)
            var sample: UInt64 = 0
            var sequence: UInt64 = 0
            try await fixture.append(frames(64_000), samplesEach: 320, from: &sample, sequence: &sequence)
            try await fixture.end()
            try await fixture.working { try await eventually("the session is done") { try await fixture.isDone } }
            let received = receiver.received
            #expect(received.count == 4)
            for request in received {
                let time = try #require(Int64(request.header("webhook-timestamp") ?? ""))
                let expected = WebhookSignature.headers(
                    id: request.id, timestamp: time, body: request.body, keys: Array(keys[..<2]))
                #expect(request.header("webhook-signature") == expected[2].value)
            }
            #expect(received[3].at - received[0].at >= .milliseconds(900), "two at once, then two a second")
        }
    }

    @Test("A window that is more than a body may have goes in equal parts with numbers and times of their own")
    func parts() async throws {
        try await Receiver.with { receiver in
            var fixture = try await AudioBytesFixture([endpoint(receiver.url, seconds: 2, policy: .all)])
            fixture.deliveryLimits.bodyBytesMaximum = 40_000
            var sample: UInt64 = 0
            var sequence: UInt64 = 0
            try await fixture.append(frames(64_000), samplesEach: 320, from: &sample, sequence: &sequence)
            try await fixture.end()
            try await fixture.working { try await eventually("the session is done") { try await fixture.isDone } }
            let received = receiver.received
            #expect(received.map(\.body.count) == [32_000, 32_000, 32_000, 32_000])
            #expect(received.map(\.sequence) == [0, 1, 2, 3])
            #expect(
                received.map { $0.header("earshot-capture-time") }
                    == (0..<4).map { ISOTime.text(TestSession.epoch + $0 * 1_000_000) })
            let isWhole = received.flatMap(\.body) == pcm(0..<64_000)
            #expect(isWhole)
        }
    }

    @Test("With all and no room to park, a dead receiver costs windows, which are announced, and not the partition")
    func noRoom() async throws {
        try await Receiver.with { _ in
            .status(500)
        } _: { receiver in
            var fixture = try await AudioBytesFixture([endpoint(receiver.url, policy: .all)]) { limits in
                limits.parkAfter = .zero
                limits.parkedBytesMaximum = 0
            }
            fixture.deliveryLimits.totalTimeout = .milliseconds(100)
            fixture.deliveryLimits.breakerFailures = 1_000
            fixture.deliveryLimits.heldAudioMaximum = .seconds(2)
            var sample: UInt64 = 0
            var sequence: UInt64 = 0
            try await fixture.append(frames(16_000 * 20), samplesEach: 320, from: &sample, sequence: &sequence)
            try await fixture.working {
                try await eventually("the stream is passed up to the last windows") {
                    let session = try await fixture.handOff.session(
                        fixture.session.id, group: .audioBytes, in: fixture.partition)
                    return (session?.progress.next ?? 0) >= 16_000 * 17 / 320
                }
                receiver.answer { _ in .status(200) }
                try await fixture.end()
                try await eventually("the session is done") { try await fixture.isDone }
            }
            let told = receiver.received.compactMap { Int($0.header("earshot-skipped") ?? "") }.max() ?? 0
            #expect(told >= 15)
            #expect(receiver.received.last?.sequence == 19)
        }
    }

    @Test("With all, a receiver that is away for a while gets every window, in order")
    func all() async throws {
        try await Receiver.with { _ in
            .status(503)
        } _: { receiver in
            let fixture = try await AudioBytesFixture([endpoint(receiver.url, policy: .all)])
            var sample: UInt64 = 0
            var sequence: UInt64 = 0
            let good = Mutex<[Int]>([])
            try await fixture.append(frames(80_000), samplesEach: 320, from: &sample, sequence: &sequence)
            try await fixture.end()
            try await fixture.working {
                try await eventually("some attempts fail") { receiver.received.count >= 3 }
                #expect(Set(receiver.received.map(\.sequence)) == [0])
                receiver.answer { request in
                    good.withLock { $0.append(request.sequence) }
                    return .status(200)
                }
                try await eventually("the session is done") { try await fixture.isDone }
            }
            #expect(good.withLock(\.self) == [0, 1, 2, 3, 4])
            #expect(Set(receiver.received.map(\.id)).count == 5)
        }
    }

    /// A tone that never repeats itself, as packets of 20 ms.
    private func opusPackets(_ count: Int) throws -> [[UInt8]] {
        var encoder = try OpusEncoder(
            sampleRate: AudioBytesFixture.rate, application: .restrictedLowDelay, bitrate: 32_000, complexity: 3)
        var phase = 0
        return try (0..<count).map { _ in
            let tone = (0..<320).map { _ -> Int16 in
                phase += 1
                return phase * phase / 90_000 % 2 == 0 ? 8_000 : -8_000
            }
            return try encoder.encode(tone[...])
        }
    }

    @Test("A worker that dies repeats Opus windows with the same bytes, whatever it decoded before")
    func opusTakeOver() async throws {
        try await Receiver.with { request in
            request.sequence < 1 ? .status(200) : .hang
        } _: { receiver in
            var fixture = try await AudioBytesFixture([endpoint(receiver.url, policy: .all)], codec: .opusFS320)
            fixture.deliveryLimits.totalTimeout = .seconds(30)
            var sample: UInt64 = 0
            var sequence: UInt64 = 0
            try await fixture.append(opusPackets(200), samplesEach: 320, from: &sample, sequence: &sequence)
            try await fixture.end()
            try await fixture.working(abrupt: true) {
                try await eventually("the second window hangs") { receiver.received.count == 2 }
            }
            receiver.answer { _ in .status(200) }
            try await fixture.working { try await eventually("the session is done") { try await fixture.isDone } }
            let second = receiver.received.filter { $0.sequence == 1 }
            #expect(second.count == 2)
            let areSame = second.first?.body == second.last?.body
            #expect(areSame)
            #expect(second.first?.body.contains { $0 != 0 } == true)
            #expect(Set(receiver.received.map(\.id)).count == 4)
        }
    }

    @Test("A worker that dies repeats at most what was on its way, under the same ids, with the same bytes")
    func takeOver() async throws {
        try await Receiver.with { request in
            request.sequence < 2 ? .status(200) : .hang
        } _: { receiver in
            var fixture = try await AudioBytesFixture([endpoint(receiver.url, policy: .all)])
            fixture.deliveryLimits.totalTimeout = .seconds(30)
            var sample: UInt64 = 0
            var sequence: UInt64 = 0
            try await fixture.append(frames(72_000), samplesEach: 320, from: &sample, sequence: &sequence)
            try await fixture.end()
            try await fixture.working(abrupt: true) {
                try await eventually("the third window hangs") { receiver.received.count == 3 }
            }
            receiver.answer { _ in .status(200) }
            try await fixture.working { try await eventually("the session is done") { try await fixture.isDone } }
            var bodies: [String: [UInt8]] = [:]
            for request in receiver.received {
                #expect(bodies[request.id] == nil || bodies[request.id] == request.body, "one id, one body")
                bodies[request.id] = request.body
            }
            #expect(bodies.count == 5)
            let inOrder = Dictionary(receiver.received.map { ($0.sequence, $0.body) }) { $1 }
            let isWhole =
                inOrder.sorted { $0.key < $1.key }.flatMap(\.value) == pcm(0..<72_000).prefix(144_000).map(\.self)
            #expect(isWhole)
        }
    }

    @Test(
        "A pause of the device ends a window, so that capture times are right", arguments: [Int64(60_000_000), 1_250])
    func gap(pause: Int64) async throws {
        try await Receiver.with { receiver in
            let fixture = try await AudioBytesFixture([endpoint(receiver.url, policy: .all)])
            var sample: UInt64 = 0
            var sequence: UInt64 = 0
            try await fixture.append(frames(8_000), samplesEach: 320, from: &sample, sequence: &sequence)
            try await fixture.append(
                frames(16_000), samplesEach: 320, from: &sample, sequence: &sequence, delay: pause)
            try await fixture.end()
            try await fixture.working { try await eventually("the session is done") { try await fixture.isDone } }
            #expect(receiver.received.map(\.body.count) == [16_000, 32_000])
            #expect(
                receiver.received.map { $0.header("earshot-capture-time") }
                    == [TestSession.epoch, TestSession.epoch + 500_000 + pause].map(ISOTime.text))
        }
    }

    @Test("An endpoint that is away for a while counts on when it is back: a number stands for one window")
    func comesBack() async throws {
        try await Receiver.with { receiver in
            var fixture = try await AudioBytesFixture([endpoint(receiver.url, policy: .all)])
            let endpoints = fixture.endpoints
            var sample: UInt64 = 0
            var sequence: UInt64 = 0
            for (round, isThere) in [true, false, true].enumerated() {
                fixture.endpoints = isThere ? endpoints : []
                try await fixture.append(
                    frames(from: round * 32_000, 32_000), samplesEach: 320, from: &sample, sequence: &sequence)
                let next = sequence
                try await fixture.working {
                    try await eventually("round \(round) is through") { try await fixture.next == next }
                }
            }
            #expect(receiver.received.map(\.sequence) == [0, 1, 2, 3])
            #expect(Set(receiver.received.map(\.id)).count == 4)
            let isExpected = receiver.received.flatMap(\.body) == pcm(0..<32_000) + pcm(64_000..<96_000)
            #expect(isExpected)
        }
    }

    @Test("A receiver that is gone is reported once, and holds up nothing; a session without endpoints ends, too")
    func gone() async throws {
        try await Receiver.with { _ in
            .status(410)
        } _: { receiver in
            for endpoints in [[endpoint(receiver.url, policy: .all)], []] {
                let fixture = try await AudioBytesFixture(endpoints)
                _ = try await fixture.handOff.enable(
                    EnabledGroups(audio: [.audioBytes], events: [.webhook]), in: [fixture.partition])
                var sample: UInt64 = 0
                var sequence: UInt64 = 0
                try await fixture.append(frames(48_000), samplesEach: 320, from: &sample, sequence: &sequence)
                try await fixture.end()
                try await fixture.working { try await eventually("the session is done") { try await fixture.isDone } }
                let events = fixture.handOff.events(in: fixture.partition).compactMap { try? SessionEvent(json: $0) }
                let disabled = events.filter { $0.type == .endpointDisabled }
                #expect(disabled.map(\.endpoint) == endpoints.map(\.id))
            }
            #expect(receiver.received.count == 1)
        }
    }
}
