import AudioStreams
import EarshotModel
import NIOCore
import RedisClient
import ServiceLifecycle
import TestSupport
import WorkerRuntime

/// What the hand-off of a test is made of.
enum Store: String, CaseIterable, Sendable {
    case memory
    case redis
}

/// A fleet with one enabled group, and workers to run on it.
struct RuntimeFixture: Sendable {
    let handOff: any HandOff
    let makeReader: @Sendable () -> any StreamReader
    let limits: Limits
    let partitions: Int
    let group = WorkerGroup.transcript

    /// Clocks of a test: quick where a test waits for them, slow where only a busy machine would meet them.
    static var limits: Limits {
        var limits = Limits()
        limits.heartbeatInterval = .milliseconds(50)
        limits.leaseLapse = .seconds(5)
        limits.memberMaturity = .milliseconds(200)
        limits.laneIdle = .milliseconds(200)
        limits.readBlock = .milliseconds(100)
        limits.positionCommitInterval = .milliseconds(20)
        return limits
    }

    static func with(
        _ store: Store, partitions: Int = 4, limits: Limits = RuntimeFixture.limits,
        _ body: (RuntimeFixture) async throws -> Void
    ) async throws {
        switch store {
        case .memory:
            let handOff = InMemoryHandOff(limits: limits)
            try await body(
                prepared(
                    RuntimeFixture(
                        handOff: handOff, makeReader: { handOff.makeReader() }, limits: limits, partitions: partitions))
            )
        case .redis: try await with(nil, partitions: partitions, limits: limits, body)
        }
    }

    /// On a Redis of the test's own, or on the shared one.
    static func with(
        _ configuration: RedisConfiguration?, partitions: Int = 4, limits: Limits = RuntimeFixture.limits,
        _ body: (RuntimeFixture) async throws -> Void
    ) async throws {
        try await RedisFleet.with(configuration, limits: limits) { fleet in
            try await body(
                prepared(
                    RuntimeFixture(
                        handOff: fleet.handOff, makeReader: { fleet.makeReader() }, limits: limits,
                        partitions: partitions)))
        }
    }

    private static func prepared(_ fixture: RuntimeFixture) async throws -> RuntimeFixture {
        try await fixture.handOff.enable(audioGroups: [fixture.group], eventGroups: [], in: fixture.all)
        return fixture
    }

    var all: [Partition] { (0..<partitions).map { Partition($0) } }

    /// Runs a worker while the body does; then the worker is shut down gracefully, or cancelled when the body throws.
    func withWorker<Value: Sendable>(
        _ name: String = "worker-0", factory: any LaneProcessorFactory, routing: LaneRouting? = nil,
        metrics: CountingMetrics = CountingMetrics(), _ body: (RunningWorker) async throws -> Value
    ) async throws -> Value {
        let running = makeWorker(name, factory: factory, routing: routing, metrics: metrics)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await running.services.run() }
            defer { tasks.cancelAll() }
            let value = try await body(running)
            await running.services.triggerGracefulShutdown()
            try await tasks.next()
            return value
        }
    }

    func makeWorker(
        _ name: String, factory: any LaneProcessorFactory, routing: LaneRouting? = nil,
        metrics: CountingMetrics = CountingMetrics()
    ) -> RunningWorker {
        let member = Incarnation(startingAs: name)
        let worker = Worker(
            Worker.Configuration(
                group: group, routing: routing ?? .sessions(wanted: .transcript), member: member,
                partitions: partitions, limits: limits),
            handOff: handOff, reader: makeReader(), factory: factory, metrics: metrics, logger: RedisFleet.logger)
        return RunningWorker(
            services: ServiceGroup(services: [worker], logger: RedisFleet.logger), member: member, metrics: metrics)
    }

    // MARK: What came of it

    /// Waits until nothing is left behind the group's positions.
    func untilDrained() async throws {
        try await eventually(
            "the group passes everything",
            isTrue: {
                let lags = try await handOff.lag(of: group, stream: .audio, in: all)
                return lags.allSatisfy { $0.entries == 0 }
            })
    }

    /// Waits until a member has so many leases, released ones not counted.
    func until(_ member: Incarnation, has count: Int) async throws {
        try await eventually("\(member) has \(count) leases", isTrue: { try await leases(of: member) == count })
    }

    func leases(of member: Incarnation) async throws -> Int {
        let seen = try await handOff.sightings(of: all, group: group).values
        return seen.count { $0.owner == member.description && !$0.isReleased }
    }

    /// The byte events of all partitions, each partition's in order.
    func events() async throws -> [ByteEvent] {
        var events: [ByteEvent] = []
        for partition in all {
            let entries = try await handOff.entries(of: .events, in: partition, after: .start, count: 1_000_000)
            events += entries.compactMap { ByteEvent($0.payload) }
        }
        return events
    }

    /// Waits for what events say, without asking again and again.
    func until(_ what: String, _ condition: ([ByteEvent]) -> Bool) async throws -> [ByteEvent] {
        let reader = makeReader()
        let deadline = ContinuousClock.now + .seconds(60)
        var cursors = Dictionary(uniqueKeysWithValues: all.map { ($0, StreamPosition.start) })
        var events: [ByteEvent] = []
        while !condition(events) {
            guard ContinuousClock.now < deadline else { throw ChildProcess.Failure("\(what): not within 60 s") }
            let found = try await reader.read(.events, after: cursors, count: 1_000, block: .seconds(5))
            for (partition, entries) in found {
                cursors[partition] = entries.last?.position
                events += entries.compactMap { ByteEvent($0.payload) }
            }
        }
        return events
    }
}

/// A worker and the means to end it.
struct RunningWorker: Sendable {
    let services: ServiceGroup
    let member: Incarnation
    let metrics: CountingMetrics

    func count(_ name: String) -> Int64 { metrics.total("worker.\(name)") }
}
