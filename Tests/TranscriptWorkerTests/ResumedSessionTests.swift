import AudioStreams
import EarshotModel
import Logging
import NIOCore
import ServiceLifecycle
import TestSupport
import Testing
import TranscriptWorker
import WorkerRuntime

@Suite("Transcript worker: resumed sessions")
struct ResumedSessionTests {
    /// Frames of 20 ms of a burst, from a number on.
    private func append(
        _ numbers: Range<UInt64>, of session: SessionID, _ handOff: InMemoryHandOff, _ partition: Partition
    ) async throws {
        var batch = FrameBatch()
        let pcm = Bursts.pcm([(1_200, 0)])
        for number in numbers {
            let sample = (number - numbers.lowerBound) * 320
            batch.append(
                ByteBuffer(bytes: pcm.prefix(640)), samples: 320, sequence: number, firstSample: sample,
                captureTime: 1_000_000 + Int64(number) * 20_000)
        }
        _ = try await handOff.append(
            batch.close(session: session, epoch: 1, flags: .transcript, language: "en"), to: partition)
    }

    @Test("The end of a resumed session counts its own frames and length, and those that nobody has")
    func ownFrames() async throws {
        var limits = Limits()
        limits.heartbeatInterval = .milliseconds(20)
        let handOff = InMemoryHandOff(limits: limits)
        let partition = Partition(0)
        try await handOff.enable(audioGroups: [.transcript], eventGroups: [.record], in: [partition])
        let old = TestSession(user: "alice")
        let new = TestSession(user: "alice")
        var request = old.registration()
        request.parameters = SessionParameters(
            codec: .pcm16, sampleRate: 16_000, flags: [.transcript, .numbered])
        let parameters = request.parameters
        _ = try await handOff.register(request, in: partition)
        try await append(0..<50, of: old.id, handOff, partition)
        request = new.resuming(old.id, first: 60)
        request.parameters = parameters
        let epoch = try await handOff.register(request, in: partition).epoch
        // Five of them come twice.
        try await append(60..<90, of: new.id, handOff, partition)
        try await append(85..<120, of: new.id, handOff, partition)
        _ = try await handOff.end(new.ending(epoch: epoch), in: partition)
        let worker = Worker(
            Worker.Configuration(
                group: .transcript, routing: .sessions(wanted: .transcript), member: Incarnation(startingAs: "worker"),
                partitions: 1, limits: limits),
            handOff: handOff, reader: handOff,
            factory: SpeechLaneFactory(
                recognizer: LengthRecognizer(), voiceActivity: LoudnessActivity(), interims: nil, limits: limits),
            logger: .silent)
        let group = ServiceGroup(services: [worker], logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await eventually(
                "the session completes",
                isTrue: {
                    try await handOff.session(new.id, group: .transcript, in: partition)?.isCompleted == true
                })
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        let ends = try handOff.events(in: partition).map { try SessionEvent(json: $0) }
            .filter { $0.type == .sessionEnded }
        #expect(ends.map(\.session) == [old.id.description, new.id.description])
        #expect(ends.map(\.reason) == ["superseded", "client_closed"])
        #expect(ends.map(\.frames) == [50, 60])
        #expect(ends.map(\.lostFrames) == [nil, 10])
        #expect(ends.first?.audioSeconds == 1)
    }
}
