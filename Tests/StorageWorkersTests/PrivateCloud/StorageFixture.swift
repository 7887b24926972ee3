import AudioCodecs
import AudioStorage
import AudioStreams
import EarshotModel
import NIOCore
import ServiceLifecycle
import TestSupport
import WorkerRuntime

@testable import StorageWorkers

/// A fleet in memory with a store in memory, sessions to append, and workers that may be killed.
struct StorageFixture: Sendable {
    let handOff: InMemoryHandOff
    let store = InMemoryObjectStore()
    let limits: Limits
    let partitions = 4

    /// A fixed instant, Unix µs.
    static let start: Int64 = 1_760_000_000_000_000

    init(parkAfter: Duration = Limits().parkAfter) async throws {
        var limits = Limits()
        limits.heartbeatInterval = .milliseconds(20)
        limits.leaseLapse = .milliseconds(300)
        limits.memberMaturity = .milliseconds(40)
        limits.parkAfter = parkAfter
        self.limits = limits
        handOff = InMemoryHandOff(limits: limits)
        try await handOff.enable(
            audioGroups: [.privateCloud], eventGroups: [], in: (0..<partitions).map { Partition($0) })
    }

    /// A session on its way in.
    struct Device: Sendable {
        let fixture: StorageFixture
        let id: SessionID
        let user: UserID
        let partition: Partition
        let parameters: SessionParameters
        let gateway = Incarnation(startingAs: "gateway-0")
        var epoch: FencingToken
        var sequence: UInt64 = 0
        var sample: UInt64 = 0
        var captureTime = StorageFixture.start

        /// Appends frames, so many an entry.
        mutating func send(_ frames: [[UInt8]], samples: Int, framesAnEntry: Int = 12) async throws {
            var batch = FrameBatch()
            for (index, frame) in frames.enumerated() {
                batch.append(
                    ByteBuffer(bytes: frame), samples: samples, sequence: sequence, firstSample: sample,
                    captureTime: captureTime)
                sequence += 1
                sample += UInt64(samples)
                captureTime += Int64(samples) * 1_000_000 / Int64(parameters.sampleRate)
                guard batch.frameCount == framesAnEntry || index == frames.count - 1 else { continue }
                _ = try await fixture.handOff.append(
                    batch.close(session: id, epoch: 1, flags: [.privateCloud], language: "en"), to: partition)
            }
        }

        func end() async throws {
            _ = try await fixture.handOff.end(
                SessionEnding(
                    session: id, user: user, epoch: epoch, gateway: gateway, reason: .clientClosed,
                    now: StorageFixture.start), in: partition)
        }

        func isCompleted() async throws -> Bool {
            try await fixture.handOff.session(id, group: .privateCloud, in: partition)?.isCompleted == true
        }

        /// The events of its parts, in their order.
        var events: [SessionEvent] {
            fixture.handOff.events(in: partition).compactMap { try? SessionEvent(json: $0) }
                .filter { $0.session == id.description && $0.type == .audioStored }
        }

        /// The parts that events name.
        var parts: [StoredAudioPart] { events.compactMap(\.audio) }
    }

    func register(
        _ name: String, number: UInt64 = 1, codec: AudioCodec = .opusFS320, sampleRate: Int = 16_000,
        conversation: String? = nil
    ) async throws -> Device {
        guard let user = UserID(name) else { throw ChildProcess.Failure("\(name) is no user id") }
        let partition = Partition(of: user, count: partitions)
        let parameters = SessionParameters(codec: codec, sampleRate: sampleRate, flags: [.privateCloud])
        let id = SessionID(UniqueID(high: 0x0199_0000_0000_7000, low: 0x8000_0000_0000_0000 | number))
        var device = Device(
            fixture: self, id: id, user: user, partition: partition, parameters: parameters, epoch: FencingToken(""))
        var registration = SessionRegistration(
            session: id, user: user, gateway: device.gateway, now: Self.start, parameters: parameters)
        registration.boundConversation = conversation
        device.epoch = try await handOff.register(registration, in: partition).epoch
        return device
    }

    func services(
        store: (any ObjectStore)? = nil, partSeconds: Int = 10, format: StoredAudioPart.Format = .ogg,
        encryption: AudioEncryption? = nil,
        settings: @escaping @Sendable (UserID, Partition) async throws -> UserSettings = { _, _ in UserSettings() }
    ) -> StorageServices {
        StorageServices(
            parts: PartStore(store: store ?? self.store, encryption: encryption), settings: settings, format: format,
            partSeconds: partSeconds)
    }

    /// Runs a worker until a condition holds; abruptly means cancelled, so that its lease lapses.
    func runWorker(
        _ services: StorageServices, abrupt: Bool = false, until condition: () async throws -> Bool
    ) async throws {
        let worker = Worker(
            Worker.Configuration(
                group: .privateCloud, routing: .sessions(wanted: .privateCloud),
                member: Incarnation(startingAs: "worker"), partitions: partitions, limits: limits),
            handOff: handOff, reader: handOff.makeReader(), factory: StorageLaneFactory(services), logger: .silent)
        let group = ServiceGroup(services: [worker], logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            defer { tasks.cancelAll() }
            try await eventually("the worker gets so far", isTrue: condition)
            if abrupt { tasks.cancelAll() } else { await group.triggerGracefulShutdown() }
            while let result = await tasks.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError), !abrupt { throw error }
            }
        }
    }

    /// Opus packets of 20 ms at 16 kHz, of a tone that changes.
    static func packets(_ count: Int) throws -> [[UInt8]] {
        var encoder = try OpusEncoder(
            sampleRate: 16_000, application: .restrictedLowDelay, bitrate: 32_000, complexity: 0)
        return try (0..<count).map { index in
            let step = 3 + index / 7 % 40
            return try encoder.encode((0..<320).map { Int16(truncatingIfNeeded: ($0 * step % 200 - 100) * 80) }[...])
        }
    }
}

/// A store whose writes never end, until their task does.
final class StuckObjectStore: ObjectStore {
    let keys = AsyncStream.makeStream(of: ObjectKey.self, bufferingPolicy: .bufferingNewest(100))

    func put(
        _ bytes: [UInt8], at key: ObjectKey, contentType: String, condition: PutCondition
    ) async throws(ObjectStoreError) {
        keys.continuation.yield(key)
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        for await _ in stream {}
        continuation.finish()
        throw ObjectStoreError(.unavailable, "cancelled")
    }

    func get(_ key: ObjectKey, bytesMaximum: Int) async throws(ObjectStoreError) -> [UInt8] { [] }
    func size(of key: ObjectKey) async throws(ObjectStoreError) -> Int? { nil }
    func list(prefix: String, after: ObjectKey?, limit: Int) async throws(ObjectStoreError) -> ObjectPage {
        ObjectPage(entries: [], isTruncated: false)
    }
    func delete(_ key: ObjectKey) async throws(ObjectStoreError) {}
}
