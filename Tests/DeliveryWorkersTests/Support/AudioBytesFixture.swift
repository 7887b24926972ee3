import AudioStreams
import DeliveryWorkers
import EarshotModel
import HTTPTransport
import NIOCore
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import WebhookDelivery
import WorkerRuntime

/// A session in a hand-off, whose audio goes to some endpoints.
struct AudioBytesFixture {
    static let partitions = 4
    static let rate = 16_000

    let handOff: InMemoryHandOff
    let limits: Limits
    let session: TestSession
    let epoch: FencingToken
    var endpoints: [AudioEndpoint]
    let partition: Partition
    var deliveryLimits = DeliveryFixture.fastLimits
    let reported = Reported()

    /// The events that tell what became of requests.
    final class Reported: Sendable {
        private let list = Mutex<[SessionEvent]>([])
        var attempts: [AudioAttempt] { list.withLock { $0.flatMap { $0.attempts ?? [] } } }
        func add(_ event: SessionEvent) { list.withLock { $0.append(event) } }
    }

    init(
        _ endpoints: [AudioEndpoint], codec: AudioCodec = .pcm16, _ change: (inout Limits) -> Void = { _ in }
    ) async throws {
        var limits = Limits()
        change(&limits)
        limits.heartbeatInterval = .milliseconds(20)
        limits.leaseLapse = .milliseconds(200)
        self.limits = limits
        self.endpoints = endpoints
        handOff = InMemoryHandOff(limits: limits)
        session = TestSession(user: "alice")
        partition = Partition(of: session.user, count: Self.partitions)
        var registration = session.registration()
        registration.parameters = SessionParameters(codec: codec, sampleRate: Self.rate)
        epoch = try await handOff.register(registration, in: partition).epoch
        _ = try await handOff.enable(EnabledGroups(audio: [.audioBytes], events: []), in: [partition])
    }

    /// Appends frames from a sample on, in entries of ten.
    func append(
        _ frames: [[UInt8]], samplesEach: Int, from sample: inout UInt64, sequence: inout UInt64,
        delay: Int64 = 0
    ) async throws {
        var batch = FrameBatch()
        for (index, frame) in frames.enumerated() {
            batch.append(
                ByteBuffer(bytes: frame), samples: samplesEach, sequence: sequence, firstSample: sample,
                captureTime: TestSession.epoch + delay + Int64(sample) * 1_000_000 / Int64(Self.rate))
            sequence += 1
            sample += UInt64(samplesEach)
            guard batch.frameCount == 10 || index == frames.count - 1 else { continue }
            _ = try await handOff.append(
                batch.close(session: session.id, epoch: 1, flags: .audioBytes, language: "en"), to: partition)
        }
    }

    func end() async throws { _ = try await handOff.end(session.ending(epoch: epoch), in: partition) }

    /// The first message that the group still needs.
    var next: UInt64 {
        get async throws {
            try await handOff.session(session.id, group: .audioBytes, in: partition)?.progress.next ?? 0
        }
    }

    var isDone: Bool {
        get async throws {
            try await handOff.session(session.id, group: .audioBytes, in: partition)?.progress.isDone == true
        }
    }

    /// Runs a worker while `body` runs; abruptly means cancelled, so that its lease lapses.
    func working(abrupt: Bool = false, _ body: () async throws -> Void) async throws {
        let policy = try DestinationPolicy(allowedNetworks: ["127.0.0.0/8"], allowsPlainHTTP: true)
        let transport = HTTPTransport(HTTPTransportConfiguration(destinations: policy), logger: .silent)
        let attempts = AudioAttemptReporter(interval: .milliseconds(20), logger: .silent) { [reported] event, _ in
            reported.add(event)
        }
        let sender = AudioWindowSender(
            sender: WebhookSender(transport: transport, limits: deliveryLimits, logger: .silent),
            limits: deliveryLimits, attempts: attempts)
        let worker = Worker(
            Worker.Configuration(
                group: .audioBytes, routing: .sessions(wanted: .audioBytes),
                member: Incarnation(startingAs: "audio-bytes-0"), partitions: Self.partitions,
                limits: limits),
            handOff: handOff, reader: handOff,
            factory: AudioBytesLaneFactory(sender: sender, deliveryLimits: deliveryLimits) {
                [endpoints] _, _ in UserSettings(audioEndpoints: endpoints)
            }, logger: .silent)
        let group = ServiceGroup(services: [attempts, sender, worker], logger: .silent)
        await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await transport.run() }
            tasks.addTask { try await group.run() }
            do {
                try await body()
            } catch {
                Issue.record(error)
            }
            if !abrupt {
                await group.triggerGracefulShutdown()
                _ = await tasks.nextResult()
            }
            tasks.cancelAll()
            while await tasks.nextResult() != nil {}
        }
    }
}
