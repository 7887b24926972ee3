import AccessTokens
import AudioCodecs
import AudioStorage
import AudioStreams
import EarshotClient
import EarshotModel
import Foundation
import GatewayService
import Logging
import NIOPosix
import PostgresClient
import ServiceLifecycle
import SessionRecord
import TestSupport
import Testing
import WorkerRuntime

@testable import StorageWorkers

/// A back end's way from its socket to a learnt voice: real gateway, Redis, storage worker, Postgres, sample worker.
@Suite("A voice out of a back end's recording", .timeLimit(.minutes(3)))
struct BackendSampleTests {
    private static let key = "a-service-key-of-the-tests"
    private static let start = 1_700_000_000.25
    private let store = InMemoryObjectStore()

    @Test("103, 101 of long ago, 102 and 105 end in a sample of exactly the segment's audio")
    func stored() async throws {
        var limits = Limits()
        limits.heartbeatInterval = .milliseconds(50)
        limits.memberMaturity = .milliseconds(100)
        try await PostgresServerFixture.withDatabase { database in
            _ = try await MigrationRunner(client: database.client, directory: Self.migrations, logger: .silent).run()
            try await RedisFleet.with(limits: limits) { fleet in
                let user = try #require(UserID("alice"))
                _ = try await fleet.handOff.enable(
                    EnabledGroups(audio: [.privateCloud], events: [.record], samples: [.speakerSample]),
                    in: [Partition(0)])
                _ = try await fleet.handOff.project(UserSettings(isStorageOn: true), of: user, in: Partition(0))
                try await withServices(fleet, database.client) { port in
                    try await send(to: port)
                    let result = try await result(fleet, database.client)
                    #expect(result.outcome == .stored)
                    let object = try #require(result.object)
                    let file = try WAVFile(bytes: try await store.get(ObjectKey(object), bytesMaximum: 1 << 20))
                    #expect(abs(file.samples.count - 12 * 16_000) < 20)
                    // Each second has a value of its own, so that the cut is seen to be right to the sample.
                    #expect(file.samples.prefix(15_900).allSatisfy { $0 == 3_000 })
                    #expect(file.samples.suffix(15_900).allSatisfy { $0 == 14_000 })
                }
            }
        }
    }

    /// What a back end sends: 20 s of audio that was captured years ago, in a conversation that is new here.
    private func send(to port: Int) async throws {
        let peer = try await eventually("the gateway takes connections") {
            try? await DeviceConnection.connect(
                url: "ws://127.0.0.1:\(port)/v1/trigger/listen?uid=alice&sample_rate=16000",
                headers: [("Authorization", "Bearer \(Self.key)")], on: MultiThreadedEventLoopGroup.singleton)
        }
        func send(_ opcode: UInt32, _ payload: [UInt8]) async throws {
            try await peer.send(binary: Self.bytes(opcode) + payload)
        }
        try await send(103, Array("user:42".utf8))
        for second in 0..<20 {
            let value = Int16(1_000 * (second + 1))
            try await send(
                101,
                Self.bytes((Self.start + Double(second)).bitPattern)
                    + (0..<16_000).flatMap { _ in Self.bytes(value) })
        }
        let segment = #"{"id": "s1", "text": "one two three four five six", "start": 2, "end": 14}"#
        try await send(102, Array(#"{"segments": [\#(segment)], "memory_id": "user:42"}"#.utf8))
        try await send(
            105, Array(#"{"person_id": "bob", "conversation_id": "user:42", "segment_ids": ["s1"]}"#.utf8))
        await peer.close(code: 1000)
    }

    /// Writes the record as the coordinator does, until the request has its outcome.
    private func result(_ fleet: RedisFleet, _ postgres: PostgresClient) async throws -> SpeakerSampleResult {
        let record = PostgresSessionRecord(client: postgres)
        return try await eventually(within: .seconds(60), "an outcome") {
            let entries = try await fleet.handOff.entries(of: .events, in: Partition(0), after: .start, count: 1_000)
            let events = try entries.map { try SessionEvent(json: $0.payload) }
            try await record.write(events)
            return events.compactMap(\.sample).first
        }
    }

    // MARK: The fleet

    private func withServices(
        _ fleet: RedisFleet, _ postgres: PostgresClient, _ body: (Int) async throws -> Void
    ) async throws {
        let ports = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
        let gateway = GatewayServer(
            GatewayConfiguration(
                host: "127.0.0.1", port: 0, incarnation: Incarnation(startingAs: "gateway-0"), partitions: 1,
                eventLoops: 1, allowedOrigins: ["*"], languages: ["*"],
                tokens: try await AccessTokenVerifier(
                    configuration: AccessTokenConfiguration(developmentMode: true), logger: .silent),
                backend: try #require(BackendDoor(keys: [Self.key])), limits: fleet.limits),
            redis: fleet.configuration, keys: fleet.keys, handOff: fleet.handOff, logger: .silent,
            onListening: { ports.continuation.yield($0) })
        let storage = StorageLaneFactory(
            StorageServices(
                parts: PartStore(store: store, encryption: nil),
                settings: { _, _ in UserSettings(isStorageOn: true) }, format: .omi, partSeconds: 5))
        let group = ServiceGroup(
            services: [
                gateway, worker(.privateCloud, .sessions(wanted: .privateCloud), storage, fleet),
                worker(.speakerSample, .wholeStream(.speakerSample), samples(fleet, postgres), fleet),
            ], logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            defer { tasks.cancelAll() }
            var port: Int?
            for await bound in ports.stream {
                port = bound
                break
            }
            try await body(try #require(port))
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func worker(
        _ group: WorkerGroup, _ routing: LaneRouting, _ factory: any LaneProcessorFactory, _ fleet: RedisFleet
    ) -> Worker {
        Worker(
            Worker.Configuration(
                group: group, routing: routing, member: Incarnation(startingAs: "worker"), partitions: 1,
                limits: fleet.limits),
            handOff: fleet.handOff, reader: fleet.makeReader(), factory: factory, logger: .silent)
    }

    private func samples(_ fleet: RedisFleet, _ postgres: PostgresClient) -> SpeakerSampleLaneFactory {
        var limits = SampleLimits()
        limits.age = .milliseconds(200)
        limits.scanInterval = .milliseconds(50)
        limits.retryInterval = .milliseconds(200)
        let maker = SampleMaker(
            record: PostgresVoiceRecord(client: postgres),
            audio: StoredConversationAudio(
                record: PostgresSessionRecord(client: postgres),
                reader: StoredAudioReader(store: store, encryption: nil), handOff: fleet.handOff),
            store: store, recognizer: ScriptedEngine(), embedder: ScriptedEngine(isOneVoice: true),
            settings: { _, _ in UserSettings(isStorageOn: true) }, limits: limits, logger: .silent)
        return SpeakerSampleLaneFactory(maker: maker, limits: limits)
    }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    private static let migrations = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Migrations").path
}
