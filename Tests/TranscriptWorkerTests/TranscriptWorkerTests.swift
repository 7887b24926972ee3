import AudioCodecs
import AudioStreams
import EarshotModel
import Logging
import NIOCore
import ServiceLifecycle
import SpeechRecognition
import TestSupport
import Testing
import WorkerRuntime

@testable import TranscriptWorker

@Suite struct TranscriptWorkerTests {
    private let user = "alice"
    private let partitions = 4

    /// One session appended in entries of a given number of frames, processed by workers of which each is stopped after
    /// some segments; what the record would see.
    func segments(
        of audio: [UInt8], frameBytes: Int, framesAnEntry: Int, codec: AudioCodec = .pcm16, sampleRate: Int = 16_000,
        flags: WorkerFlags = .transcript, recognizer: any SpeechRecognizer = LengthRecognizer(),
        abandonAfter: [Int] = [], labelling: SpeakerLabelling? = nil, messages: MessageLog? = nil
    ) async throws -> [TranscriptSegment] {
        let frames = stride(from: 0, to: audio.count, by: frameBytes).map { start in
            Array(audio[start..<min(start + frameBytes, audio.count)])
        }
        return try await events(
            of: frames, framesAnEntry: framesAnEntry, codec: codec, sampleRate: sampleRate, flags: flags,
            recognizer: recognizer, abandonAfter: abandonAfter, labelling: labelling, messages: messages
        ).flatMap { $0.segments ?? [] }
    }

    /// The same with frames of any kind; all that the session's events say.
    func events(
        of frames: [[UInt8]], framesAnEntry: Int, from start: Int64 = 1_000_000, codec: AudioCodec = .pcm16,
        sampleRate: Int = 16_000,
        flags: WorkerFlags = .transcript, recognizer: any SpeechRecognizer = LengthRecognizer(),
        abandonAfter: [Int] = [], labelling: SpeakerLabelling? = nil, messages: MessageLog? = nil
    ) async throws -> [SessionEvent] {
        var limits = Limits()
        limits.heartbeatInterval = .milliseconds(20)
        limits.leaseLapse = .milliseconds(200)
        let handOff = InMemoryHandOff(limits: limits)
        let id = SessionID.new(at: 0)
        let user = try #require(UserID(self.user))
        let partition = Partition(of: user, count: partitions)
        let gateway = Incarnation(startingAs: "gateway-0")
        let registration = SessionRegistration(
            session: id, user: user, gateway: gateway, now: 1_000_000,
            parameters: SessionParameters(codec: codec, sampleRate: sampleRate, flags: flags))
        let grant = try await handOff.register(registration, in: partition)
        try await handOff.enable(audioGroups: [.transcript], eventGroups: [.record], in: [partition])
        try await append(frames, framesAnEntry, from: start, codec, sampleRate, id, handOff, partition)
        _ = try await handOff.end(
            SessionEnding(
                session: id, user: user, epoch: grant.epoch, gateway: gateway, reason: .clientClosed, now: 2_000_000),
            in: partition)
        for count in abandonAfter {
            try await runWorker(handOff, limits, recognizer, labelling, abrupt: true) {
                segmentTexts(handOff, partition).count >= count
            }
        }
        try await runWorker(handOff, limits, recognizer, labelling, abrupt: false) {
            let session = try await handOff.session(id, group: .transcript, in: partition)
            return session?.isCompleted == true
        }
        messages?.results = handOff.published.map(\.result).filter { $0.kind == .message }
        return try handOff.events(in: partition).map { try SessionEvent(json: $0) }
    }

    private func append(
        _ frames: [[UInt8]], _ framesAnEntry: Int, from start: Int64, _ codec: AudioCodec, _ rate: Int,
        _ id: SessionID,
        _ handOff: InMemoryHandOff, _ partition: Partition
    ) async throws {
        var batch = FrameBatch()
        var sequence: UInt64 = 0
        var sample: UInt64 = 0
        for (index, bytes) in frames.enumerated() {
            let frame = ByteBuffer(bytes: bytes)
            let samples = codec.samples(
                first: bytes.first, second: bytes.dropFirst().first, byteCount: bytes.count, sampleRate: rate)
            batch.append(
                frame, samples: samples, sequence: sequence, firstSample: sample,
                captureTime: start + Int64(sample) * 1_000_000 / Int64(rate))
            sequence += 1
            sample += UInt64(samples)
            if batch.frameCount == framesAnEntry || index + 1 == frames.count {
                _ = try await handOff.append(
                    batch.close(session: id, epoch: 1, flags: .transcript, language: "en"), to: partition)
            }
        }
    }

    private func segmentTexts(_ handOff: InMemoryHandOff, _ partition: Partition) -> [TranscriptSegment] {
        handOff.events(in: partition).compactMap { try? SessionEvent(json: $0) }.flatMap { $0.segments ?? [] }
    }

    /// Runs a worker until a condition holds; abruptly means cancelled, so that its lease lapses.
    private func runWorker(
        _ handOff: InMemoryHandOff, _ limits: Limits, _ recognizer: any SpeechRecognizer,
        _ labelling: SpeakerLabelling?, abrupt: Bool,
        until condition: () async throws -> Bool
    ) async throws {
        let worker = Worker(
            Worker.Configuration(
                group: .transcript, routing: .sessions(wanted: .transcript), member: Incarnation(startingAs: "worker"),
                partitions: partitions, limits: limits),
            handOff: handOff, reader: handOff,
            factory: SpeechLaneFactory(
                recognizer: recognizer, voiceActivity: LoudnessActivity(), interims: nil, labelling: labelling,
                limits: limits),
            logger: .silent)
        let group = ServiceGroup(services: [worker], logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            // An hour of audio in a debug build, beside everything else that is tested.
            try await eventually(within: .seconds(600), "the worker gets so far", isTrue: condition)
            if abrupt { tasks.cancelAll() } else { await group.triggerGracefulShutdown() }
            while let result = await tasks.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError), !abrupt { throw error }
            }
        }
    }

    private let pattern = [(400, 900), (1_200, 700), (150, 6_500), (800, 800), (2_000, 600), (300, 0)]

    @Test("Utterances become segments in order, with the times at which they were spoken")
    func order() async throws {
        let found = try await segments(of: Bursts.pcm(pattern), frameBytes: 640, framesAnEntry: 12)
        #expect(found.count == 5, "the 150 ms click is no utterance")
        #expect(found.map(\.start) == found.map(\.start).sorted())
        let starts = [0.0, 1.3, 9.85, 11.45, 14.05]
        for (segment, start) in zip(found, starts) { #expect(abs(segment.start - start) < 0.1) }
        #expect(Set(found.map(\.id)).count == found.count)
    }

    @Test(
        "The batching of frames changes nothing", arguments: [(320, 1), (640, 3), (3_200, 7), (32_000, 2), (1_002, 5)])
    func batching(frameBytes: Int, framesAnEntry: Int) async throws {
        let audio = Bursts.pcm(pattern)
        let reference = try await segments(of: audio, frameBytes: 640, framesAnEntry: 12)
        let found = try await segments(of: audio, frameBytes: frameBytes, framesAnEntry: framesAnEntry)
        #expect(found.map(\.text) == reference.map(\.text))
        // Capture times are whole µs an entry, so they may differ by one rounding.
        for (left, right) in zip(found, reference) { #expect(abs(left.start - right.start) < 0.002) }
    }

    @Test(
        "Workers that die between utterances change nothing, and nothing comes twice",
        arguments: [
            [1], [2, 3], [1, 2, 3, 4],
        ])
    func takeOver(abandonAfter: [Int]) async throws {
        let audio = Bursts.pcm(pattern)
        let reference = try await segments(of: audio, frameBytes: 640, framesAnEntry: 12)
        // Ids differ between the runs' sessions; texts and times must not.
        let found = try await segments(
            of: audio, frameBytes: 640, framesAnEntry: 12, abandonAfter: abandonAfter)
        #expect(found.map(\.text) == reference.map(\.text))
        #expect(found.map(\.start) == reference.map(\.start))
        #expect(Set(found.map(\.id)).count == found.count)
    }

    @Test("Other rates and 8-bit samples go through the resampler to the same number of utterances")
    func otherFormats() async throws {
        let audio = Bursts.pcm(pattern)
        let wide = stride(from: 0, to: audio.count, by: 4).flatMap { [audio[$0], audio[$0 + 1]] }
        let half = try await segments(of: wide, frameBytes: 320, framesAnEntry: 5, sampleRate: 8_000)
        #expect(half.count == 5)
        let narrow = stride(from: 1, to: audio.count, by: 2).map { audio[$0] &+ 128 }
        let eight = try await segments(of: narrow, frameBytes: 320, framesAnEntry: 5, codec: .pcm8)
        #expect(eight.count == 5)
    }

    @Test("Speech without a pause is cut at 30 seconds at the latest, and nothing between the pieces is lost")
    func forcedCut() async throws {
        let found = try await segments(of: Bursts.pcm([(70_000, 1_000)]), frameBytes: 3_200, framesAnEntry: 4)
        #expect(found.count >= 3)
        for segment in found { #expect(segment.end - segment.start <= 30.001) }
        for (left, right) in zip(found, found.dropFirst()) { #expect(abs(right.start - left.end) < 0.3) }
    }

    @Test("A device that stops in silence, at any message, ends as completed", arguments: 155...159)
    func silenceOfEveryLength(messages: Int) async throws {
        let found = try await segments(
            of: [UInt8](repeating: 0, count: messages * 512), frameBytes: 512, framesAnEntry: 7, sampleRate: 8_000)
        #expect(found.isEmpty)
    }

    @Test("An hour of silence gives no segment and ends as completed")
    func silence() async throws {
        let found = try await segments(
            of: [UInt8](repeating: 0, count: 3600 * 32_000), frameBytes: 32_000, framesAnEntry: 3)
        #expect(found.isEmpty)
    }

    @Test("Packets that are no Opus are counted and keep their time; the session goes on to its end")
    func corruptOpus() async throws {
        // 20 ms of CELT by their first byte, nonsense by the rest; and one byte that is no packet at all.
        var packets = (0..<200).map { index in [0xF8] + (0..<40).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ index) } }
        packets[50] = [0xFF, 0x00, 0x01]
        let decoder = try SpeechDecoder(SessionParameters(codec: .opusFS320, sampleRate: 16_000))
        var samples = 0
        for packet in packets {
            let count = AudioCodec.opusFS320.samples(
                first: packet.first, second: packet.dropFirst().first, byteCount: packet.count, sampleRate: 16_000)
            samples += decoder.decode(ByteBuffer(bytes: packet), samples: count, skipping: 0).count
        }
        samples += decoder.finish().count
        #expect(samples == 199 * 320)
        #expect(decoder.corruptFrames >= 1)
    }

    @Test("An empty message is a frame without sound, and not corrupt", arguments: [AudioCodec.opus, .pcm16, .pcm8])
    func emptyFrame(codec: AudioCodec) throws {
        let decoder = try SpeechDecoder(SessionParameters(codec: codec, sampleRate: 16_000))
        #expect(decoder.decode(ByteBuffer(), samples: 0, skipping: 0).isEmpty)
        #expect(decoder.corruptFrames == 0)
    }

    @Test("A session with corrupt packets goes on: later text comes, and its end says how many there were")
    func corruptPackets() async throws {
        let pcm = try PCM.samples(littleEndian: Bursts.pcm([(1_200, 900), (1_200, 900)]))
        var encoder = try OpusEncoder(
            sampleRate: 16_000, application: .restrictedLowDelay, bitrate: 32_000, complexity: 3)
        var packets: [[UInt8]] = []
        for start in stride(from: 0, to: pcm.count, by: 320) {
            packets.append(try encoder.encode(pcm[start..<min(start + 320, pcm.count)]))
        }
        let corrupt = [[UInt8]](repeating: [0xFF, 0x00, 0x01], count: 7)
        // In the pause after the first burst, at 1.5 s.
        packets.insert(contentsOf: corrupt, at: 75)
        let events = try await events(of: packets, framesAnEntry: 12, codec: .opusFS320, recognizer: WordRecognizer())
        let segments = events.flatMap { $0.segments ?? [] }
        #expect(segments.count == 2)
        #expect(segments.allSatisfy { $0.text.hasPrefix("soft soft") })
        #expect((segments.last?.start ?? 0) > 1.9)
        let end = try #require(events.last { $0.type == .sessionEnded })
        #expect(end.corruptFrames == 7)
        #expect(end.frames == UInt64(packets.count))
    }

    @Test("A restart point survives its bytes, and others are refused")
    func restartPoint() throws {
        var point = RestartPoint()
        point.skip = 7
        point.sample = 123_456_789_012
        point.corruptFrames = 3
        #expect(point.usage.add(received: 9, transcribed: 4, on: UTCDay(number: 20_000)) == nil)
        #expect(try RestartPoint(decoding: point.encoded) == point)
        #expect(try RestartPoint(decoding: []) == RestartPoint())
        #expect(throws: RestartPoint.UnreadableState.self) { try RestartPoint(decoding: [9, 1]) }
    }
}
