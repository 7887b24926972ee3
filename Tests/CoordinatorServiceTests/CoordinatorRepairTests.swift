import AudioStreams
import CoordinatorService
import EarshotModel
import Logging
import NIOCore
import RedisClient
import ServiceLifecycle
import TestSupport
import Testing
import WorkerRuntime

@Suite("The coordinator's repairs: each is made, and counted")
struct CoordinatorRepairTests {
    private let partitions = 4

    private var limits: Limits {
        var limits = Limits()
        limits.heartbeatInterval = .milliseconds(20)
        limits.reconcileInterval = .milliseconds(20)
        limits.lagInterval = .milliseconds(20)
        limits.gatewayLapse = .milliseconds(300)
        limits.leaseLapse = .milliseconds(300)
        return limits
    }

    /// Runs a coordinator while a body runs.
    private func withCoordinator(
        _ handOff: any HandOff, groups: EnabledGroups = EnabledGroups(), metrics: CountingMetrics = CountingMetrics(),
        limits: Limits? = nil, logger: Logger = .silent, _ body: () async throws -> Void
    ) async throws {
        let coordinator = Coordinator(
            Coordinator.Configuration(
                member: Incarnation(startingAs: "coordinator-0"), partitions: partitions, groups: groups,
                limits: limits ?? self.limits),
            handOff: handOff, metrics: metrics, logger: logger)
        let group = ServiceGroup(services: [coordinator], logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private var all: [Partition] { (0..<partitions).map { Partition($0) } }

    private func lag(_ handOff: any HandOff, _ group: WorkerGroup) async throws -> Int64 {
        try await handOff.lag(of: group, stream: .audio, in: all).reduce(0) { $0 + $1.entriesAtMost }
    }

    @Test("A group that nobody runs holds back neither trimming nor completion")
    func unwanted() async throws {
        let handOff = InMemoryHandOff(limits: limits)
        let metrics = CountingMetrics()
        let session = TestSession(user: "u1", gateway: Incarnation(startingAs: "gateway-0"))
        let partition = Partition(of: session.user, count: partitions)
        try await withCoordinator(
            handOff, groups: EnabledGroups(audio: [.transcript, .privateCloud]), metrics: metrics
        ) {
            try await eventually("the groups are enabled") { try await handOff.incarnations(of: all).count == 4 }
            let grant = try await handOff.register(session.registration(), in: partition)
            for first in 0..<10 {
                _ = try await handOff.append(session.entry(from: UInt64(first), count: 1), to: partition)
            }
            _ = try await handOff.end(session.ending(epoch: grant.epoch), in: partition)
            try await eventually("nothing waits for the group") { try await lag(handOff, .privateCloud) == 0 }
            #expect(metrics.total("coordinator.repairs") >= 1)
            #expect(try await handOff.session(session.id, group: .privateCloud, in: partition)?.progress.isDone == true)
        }
    }

    @Test("A coordinator that has lost Redis says nothing of partitions that others may own by now")
    func lostContact() async throws {
        let handOff = InMemoryHandOff(limits: limits)
        let metrics = CountingMetrics()
        func isMeasured() -> Bool {
            metrics.gauge("group.lag.entries") != nil && metrics.gauge("coordinator.sessions.live") != nil
        }
        try await withCoordinator(handOff, metrics: metrics) {
            try await eventually("lags are measured") { isMeasured() }
            handOff.setAvailable(false)
            try await eventually("nothing is said any more") {
                metrics.gauge("group.lag.entries") == nil && metrics.gauge("coordinator.sessions.live") == nil
            }
            handOff.setAvailable(true)
            try await eventually("lags are measured again") { isMeasured() }
        }
    }

    @Test("A Redis that lost its data is noticed, and its groups are there again")
    func lostData() async throws {
        let server = try RedisServer.started()
        defer { server.kill() }
        let metrics = CountingMetrics()
        try await RedisFleet.with(server.configuration, limits: limits) { fleet in
            try await withCoordinator(fleet.handOff, metrics: metrics) {
                try await eventually("the groups are enabled") {
                    try await fleet.handOff.incarnations(of: all).count == 4
                }
                // It must have seen them, not only made them.
                try await eventually("a lag is measured") { metrics.gauge("group.lag.entries") != nil }
                #expect(metrics.total("coordinator.repairs") == 0)
                _ = try await fleet.client.execute(RedisCommand("FLUSHALL"))
                try await eventually("the loss is noticed") { metrics.total("coordinator.repairs") >= 4 }
                try await eventually("the groups are enabled again") {
                    try await fleet.handOff.incarnations(of: all).count == 4
                }
                let session = TestSession(user: "u1")
                _ = try await fleet.handOff.append(session.entry(from: 0, count: 1), to: all[0])
                let lag = try await fleet.handOff.lag(of: .transcript, stream: .audio, in: [all[0]]).first
                #expect(lag?.entries == 1)
                #expect(try await fleet.handOff.joinFleet(FleetMeta(partitions: 9)).partitions == partitions)
            }
        }
    }

    @Test("A process that was killed is forgotten, one that beats is not")
    func deadMembers() async throws {
        let handOff = InMemoryHandOff(limits: limits)
        var limits = limits
        limits.memberInterval = .milliseconds(20)
        limits.memberRetention = .seconds(2)
        let dead = Incarnation(startingAs: "transcript-7f9c")
        let living = Incarnation(startingAs: "transcript-1b2d")
        for member in [dead, living] { try await handOff.join(kind: "transcript", as: member) }
        let metrics = CountingMetrics()
        try await withCoordinator(handOff, metrics: metrics, limits: limits) {
            try await eventually("the dead one is forgotten") {
                _ = try await handOff.beat(kind: "transcript", as: living)
                return try await handOff.members(kind: "transcript")[dead.description] == nil
            }
            let left = try await handOff.members(kind: "transcript")
            #expect(Set(left.keys) == [living.description])
            #expect(try await handOff.members(kind: "coordinator").count == 1)
        }
        #expect(metrics.total("coordinator.repairs") == 1)
    }

    @Test("Leases are kept while a round takes long: a thousand orphans over a slow link")
    func longRound() async throws {
        let dead = Incarnation(startingAs: "gateway-0")
        try await RedisFleet.with(limits: limits) { fleet in
            for number in 0..<1_000 {
                let session = TestSession(user: "user-\(number)", gateway: dead)
                _ = try await fleet.handOff.register(
                    session.registration(), in: Partition(of: session.user, count: partitions))
            }
            let proxy = try await FaultProxy.started(to: fleet.configuration.port)
            var toxics = Toxics()
            toxics.latency = Toxics.Latency(.milliseconds(20))
            proxy.set(LinkFaults(both: toxics))
            var slow = fleet.configuration
            slow.port = proxy.port
            try await RedisFleet.with(slow, prefix: fleet.keys.prefix, limits: limits) { coordinators in
                try await withCoordinator(coordinators.handOff) {
                    func left() async throws -> Int {
                        try await fleet.handOff.liveSessions(in: all).values.reduce(0) { $0 + $1.count }
                    }
                    func beat() async throws -> Int64 {
                        try await fleet.handOff.sightings(of: [all[0]], group: .coordinator)[all[0]]?.beat ?? 0
                    }
                    let first = try await eventually("the first end") { try await left() < 1_000 ? beat() : nil }
                    let last = try await eventually("the last end") { try await left() == 0 ? beat() : nil }
                    #expect(last - first >= 5, "a round of \(first)…\(last) beats")
                }
            }
            await proxy.stop()
        }
    }

    @Test("A sum over partitions counts what is unknown as the whole stream, and what is parked apart")
    func sum() {
        var parked = GroupLag(partition: Partition(1), entries: 3, length: 10, span: .milliseconds(500))
        parked.parkedEntries = 7
        let sum = LagSum([
            parked, GroupLag(partition: Partition(2), entries: nil, length: 20, span: .seconds(2)),
            GroupLag(partition: Partition(3), entries: 8, length: 5, span: .zero, audio: .milliseconds(250)),
        ])
        #expect(sum.entries == 3 + 20 + 5)
        #expect(sum.seconds == 2.75 && sum.longest == .seconds(2))
        #expect(sum.unknownPartitions == 1)
        #expect(sum.parkedEntries == 7)
    }

    @Test("M15: a database that hangs stops the record, and neither reconciliation nor trimming beside it")
    func hangingDatabase() async throws {
        let handOff = InMemoryHandOff(limits: limits)
        let record = HangingRecord()
        let worker = Worker(
            Worker.Configuration(
                group: .record, routing: .wholeStream(.events), member: Incarnation(startingAs: "record"),
                partitions: partitions, limits: limits),
            handOff: handOff, reader: handOff, factory: RecordLaneFactory(record: record, limits: limits),
            logger: .silent)
        let session = TestSession(user: "u1", gateway: Incarnation(startingAs: "gateway-0"))
        let partition = Partition(of: session.user, count: partitions)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await worker.run() }
            try await withCoordinator(handOff) {
                _ = try await handOff.register(session.registration(), in: partition)
                try await eventually("the record hangs") { record.isHanging }
                try await eventually("the orphan is ended all the same") {
                    try await handOff.session(session.id, group: .transcript, in: partition)?.end != nil
                }
                let last = try await pass(session, on: handOff, in: partition)
                try await eventually("the trim") {
                    try await handOff.entries(of: .audio, in: partition, after: .start, count: 100)
                        .allSatisfy { $0.position >= last }
                }
                #expect(try await handOff.lag(of: .record, stream: .events, in: [partition]).first?.entries == 1)
            }
            tasks.cancelAll()
        }
    }

    /// Appends audio that the transcript group passes; returns its last position.
    private func pass(
        _ session: TestSession, on handOff: InMemoryHandOff, in partition: Partition
    ) async throws -> StreamPosition {
        var last = StreamPosition.start
        for index in 0..<10 {
            last = try await handOff.append(session.entry(from: UInt64(index), count: 1), to: partition)
        }
        let read = try await handOff.entries(of: .audio, in: partition, after: .start, count: 100).count
        let leases = try await handOff.acquire(
            [Lease.Attempt(partition: partition, owner: Incarnation(startingAs: "worker"))], group: .transcript,
            stream: .audio)
        guard case .granted(let grant)? = leases[partition] else { throw ChildProcess.Failure("no lease") }
        _ = try await handOff.commit(
            Commit(
                group: .transcript, stream: .audio, partition: partition, token: grant.token, number: 1,
                position: Commit.Position(position: last, entriesRead: Int64(read)), lanes: []))
        return last
    }

    @Test("M19: events that are not recorded for too long are an error, and a time to alert on")
    func unrecorded() async throws {
        var limits = self.limits
        limits.unrecordedMaximum = .milliseconds(500)
        let metrics = CountingMetrics()
        let log = RecordedLog(from: .error)
        let alert = "events are not recorded; Redis keeps them meanwhile"
        try await RedisFleet.with(limits: limits) { fleet in
            let handOff = fleet.handOff
            func register(_ number: Int) async throws {
                _ = try await handOff.register(TestSession(user: "u\(number)").registration(), in: all[1])
            }
            let groups = EnabledGroups(audio: [], events: [.record])
            try await withCoordinator(handOff, groups: groups, metrics: metrics, limits: limits, logger: log.logger) {
                try await eventually("the groups are enabled") { try await handOff.incarnations(of: all).count == 4 }
                try await register(0)
                try await eventually("the lag is measured") { metrics.gauge("group.lag.entries") ?? 0 >= 1 }
                #expect(log.lines.isEmpty || metrics.gauge("group.lag.longest.seconds") ?? 0 >= 0.5)
                // Sessions go on beginning, and nobody records it.
                var number = 1
                try await eventually("the alert") {
                    try await register(number)
                    number += 1
                    return log.lines.contains { $0.hasPrefix(alert) }
                }
                #expect(try #require(metrics.gauge("group.lag.longest.seconds")) >= 0.5)
            }
        }
    }
}
