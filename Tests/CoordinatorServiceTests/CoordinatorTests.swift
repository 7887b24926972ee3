import AudioStreams
import CoordinatorService
import EarshotModel
import Logging
import NIOCore
import RedisClient
import ServiceLifecycle
import SessionRecord
import TestSupport
import Testing
import WorkerRuntime

@Suite struct CoordinatorTests {
    private let partitions = 4

    private var limits: Limits {
        var limits = Limits()
        limits.heartbeatInterval = .milliseconds(20)
        limits.reconcileInterval = .milliseconds(20)
        limits.gatewayLapse = .milliseconds(300)
        limits.leaseLapse = .milliseconds(300)
        limits.laneInboxEntriesMaximum = 64
        return limits
    }

    private func with(
        _ services: [any Service], _ body: () async throws -> Void
    ) async throws {
        let group = ServiceGroup(services: services, logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func coordinator(_ handOff: any HandOff) -> Coordinator {
        Coordinator(
            Coordinator.Configuration(
                member: Incarnation(startingAs: "coordinator-0"), partitions: partitions, limits: limits),
            handOff: handOff, logger: .silent)
    }

    @Test(
        "Changed settings reach Redis, all of them when another Redis answers, and none is lost while Postgres is away")
    func settings() async throws {
        let handOff = InMemoryHandOff(limits: limits)
        let store = InMemorySettingsStore()
        let user = try #require(UserID("u1"))
        let partition = Partition(of: user, count: partitions)
        try await store.change(user, isStorageOn: true, protection: nil)
        var limits = limits
        limits.settingsInterval = .milliseconds(20)
        limits.settingsBatchMaximum = 1
        let projector = SettingsProjector(
            store: store, handOff: handOff, partitions: partitions, limits: limits, logger: .silent)
        try await with([projector]) {
            try await eventually("the first settings") {
                try await handOff.settings(of: user, in: partition).isStorageOn
            }
            store.setAvailable(false)
            store.setAvailable(true)
            try await store.change(user, isStorageOn: false, protection: .enhanced)
            try await eventually("the second") {
                let settings = try await handOff.settings(of: user, in: partition)
                return !settings.isStorageOn && settings.protection == .enhanced
            }
        }
    }

    @Test("A Redis that lost its data has everybody's settings again")
    func settingsLost() async throws {
        let store = InMemorySettingsStore()
        let user = try #require(UserID("u1"))
        let partition = Partition(of: user, count: partitions)
        try await store.change(user, isStorageOn: true, protection: nil)
        var limits = limits
        limits.settingsInterval = .milliseconds(20)
        let server = try RedisServer.started()
        defer { server.kill() }
        try await RedisFleet.with(server.configuration, limits: limits) { fleet in
            let projector = SettingsProjector(
                store: store, handOff: fleet.handOff, partitions: partitions, limits: limits, logger: .silent)
            try await with([coordinator(fleet.handOff), projector]) {
                func isThere() async throws -> Bool {
                    try await fleet.handOff.settings(of: user, in: partition).isStorageOn
                }
                try await eventually("the settings") { try await isThere() }
                try await eventually("the groups") {
                    try await fleet.handOff.incarnations(of: [partition]).count == 1
                }
                _ = try await fleet.client.execute(RedisCommand("FLUSHALL"))
                try await eventually("the settings again") { try await isThere() }
            }
        }
    }

    @Test("The sessions of a gateway that stopped beating are ended, those of a living one are not")
    func orphans() async throws {
        let handOff = InMemoryHandOff(limits: limits)
        let dead = TestSession(user: "dead-user", gateway: Incarnation(startingAs: "gateway-0"))
        let alive = TestSession(user: "live-user", gateway: Incarnation(startingAs: "gateway-1"))
        for session in [dead, alive] {
            try await handOff.join(kind: "gateway", as: session.gateway)
            _ = try await handOff.register(session.registration(), in: Partition(of: session.user, count: partitions))
        }
        try await with([coordinator(handOff)]) {
            try await eventually("the end of the dead gateway's session") {
                _ = try await handOff.beat(kind: "gateway", as: alive.gateway)
                let partition = Partition(of: dead.user, count: partitions)
                return try await handOff.session(dead.id, group: .transcript, in: partition)?.end != nil
            }
            let partition = Partition(of: alive.user, count: partitions)
            #expect(try await handOff.session(alive.id, group: .transcript, in: partition)?.end == nil)
            let known = try await handOff.session(
                dead.id, group: .transcript, in: Partition(of: dead.user, count: partitions))
            #expect(known?.endReason == .gatewayDead)
        }
    }

    @Test("Streams are trimmed to what the enabled groups need, and no further")
    func trimming() async throws {
        let handOff = InMemoryHandOff(limits: limits)
        let session = TestSession(user: "alice")
        let partition = Partition(of: session.user, count: partitions)
        try await with([coordinator(handOff)]) {
            for index in 0..<10 {
                _ = try await handOff.append(session.entry(from: UInt64(index), count: 1), to: partition)
            }
            let entries = try await handOff.entries(of: .audio, in: partition, after: .start, count: 100)
            let outcome = try await handOff.acquire(
                [Lease.Attempt(partition: partition, owner: Incarnation(startingAs: "worker"))], group: .transcript,
                stream: .audio)
            guard case .granted(let grant)? = outcome[partition] else {
                Issue.record("no lease")
                return
            }
            _ = try await handOff.commit(
                Commit(
                    group: .transcript, stream: .audio, partition: partition, token: grant.token, number: 1,
                    position: Commit.Position(position: entries[5].position, entriesRead: 6), lanes: []))
            try await eventually("the trim") {
                try await handOff.entries(of: .audio, in: partition, after: .start, count: 100).count == 5
            }
        }
    }

    @Test("The record gets every event once it is there again, in order")
    func recordCatchesUp() async throws {
        let handOff = InMemoryHandOff(limits: limits)
        let record = InMemorySessionRecord()
        record.setAvailable(false)
        let worker = Worker(
            Worker.Configuration(
                group: .record, routing: .wholeStream(.events), member: Incarnation(startingAs: "record"),
                partitions: partitions, limits: limits),
            handOff: handOff, reader: handOff, factory: RecordLaneFactory(record: record, limits: limits),
            logger: .silent)
        let sessions = (0..<200).map { TestSession(user: "user-\($0 % 7)", at: TestSession.epoch + Int64($0)) }
        try await with([worker]) {
            for session in sessions {
                _ = try await handOff.register(
                    session.registration(), in: Partition(of: session.user, count: partitions))
            }
            record.setAvailable(true)
            try await eventually("all sessions in the record") {
                try await record.sessions(activeOnly: true, user: nil, limit: 1000).count == sessions.count
            }
        }
    }
}
