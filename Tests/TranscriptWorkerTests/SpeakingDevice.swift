import AudioStreams
import EarshotModel
import NIOCore
import ServiceLifecycle
import SpeechRecognition
import Synchronization
import TestSupport
import TranscriptWorker
import WorkerRuntime

/// A device that speaks when it is told to, and a worker that hears it meanwhile.
final class SpeakingDevice: Sendable {
    private struct Sent {
        var sequence: UInt64 = 0
        var sample: UInt64 = 0
    }

    private let handOff: InMemoryHandOff
    private let session: SessionID
    private let partition: Partition
    private let sent = Mutex(Sent())

    private init(_ handOff: InMemoryHandOff, _ session: SessionID, _ partition: Partition) {
        self.handOff = handOff
        self.session = session
        self.partition = partition
    }

    /// Runs a worker, with interims at that interval or without any, for the time of a body.
    static func with(
        interimInterval: Duration?, recognizer: any SpeechRecognizer,
        _ body: (SpeakingDevice) async throws -> Void
    ) async throws {
        var limits = Limits()
        limits.heartbeatInterval = .milliseconds(20)
        limits.leaseLapse = .milliseconds(200)
        limits.interimInterval = interimInterval ?? limits.interimInterval
        let handOff = InMemoryHandOff(limits: limits)
        guard let user = UserID("alice") else { return }
        let partition = Partition(of: user, count: 1)
        let session = SessionID.new(at: 0)
        try await handOff.enable(audioGroups: [.transcript], eventGroups: [.record], in: [partition])
        _ = try await handOff.register(
            SessionRegistration(
                session: session, user: user, gateway: Incarnation(startingAs: "gateway-0"), now: 1_000_000,
                parameters: SessionParameters(codec: .pcm16, sampleRate: 16_000)), in: partition)
        let interims = interimInterval.map { _ in InterimPublisher(recognizer: recognizer, concurrency: 1) }
        let worker = Worker(
            Worker.Configuration(
                group: .transcript, routing: .sessions(wanted: .transcript), member: Incarnation(startingAs: "worker"),
                partitions: 1, limits: limits),
            handOff: handOff, reader: handOff,
            factory: SpeechLaneFactory(
                recognizer: recognizer, voiceActivity: LoudnessActivity(), interims: interims, limits: limits),
            logger: .silent)
        let group = ServiceGroup(services: [worker], logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            if let interims { tasks.addTask { await interims.run() } }
            try await body(SpeakingDevice(handOff, session, partition))
            await group.triggerGracefulShutdown()
            tasks.cancelAll()
            while let result = await tasks.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }

    /// Appends 100 ms of speech; a real device is slower than a test's machine may be.
    func speak() async throws { try await append(Bursts.pcm([(100, 0)])) }

    /// Appends 100 ms of silence.
    func pause() async throws { try await append(Bursts.pcm([(0, 100)])) }

    private func append(_ bytes: [UInt8]) async throws {
        let samples = bytes.count / 2
        let (sequence, sample) = sent.withLock { sent in
            defer {
                sent.sequence += 1
                sent.sample += UInt64(samples)
            }
            return (sent.sequence, sent.sample)
        }
        var batch = FrameBatch()
        batch.append(
            ByteBuffer(bytes: bytes), samples: samples, sequence: sequence, firstSample: sample,
            captureTime: 1_000_000 + Int64(sample) * 1_000_000 / 16_000)
        _ = try await handOff.append(
            batch.close(session: session, epoch: 1, flags: .transcript, language: "en"), to: partition)
    }

    /// Behind the last message whose outcome is committed.
    var committed: UInt64 {
        get async throws {
            try await handOff.session(session, group: .transcript, in: partition)?.progress.next ?? 0
        }
    }

    /// Everything the device was sent, in order.
    var published: [LiveResult] { handOff.published.map(\.result) }

    /// What it was sent of one kind.
    func published(_ kind: LiveResult.Kind) -> [LiveResult] { published.filter { $0.kind == kind } }

    /// What the record would see.
    var events: [SessionEvent] { handOff.events(in: partition).compactMap { try? SessionEvent(json: $0) } }
}
