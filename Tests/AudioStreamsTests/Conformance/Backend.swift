import AudioStreams
import EarshotModel
import NIOCore
import RedisClient
import Synchronization
import TestSupport

/// The implementations that the conformance suite holds to one behaviour.
enum Backend: String, CaseIterable, Sendable {
    case memory
    case redis
    /// A node in cluster mode, which refuses whatever touches two slots (protocol.md H7).
    case cluster

    /// Those that one read may ask for several partitions.
    static let ofOneServer = [Backend.memory, .redis]

    /// Runs a body with an empty fleet.
    func run(
        limits: Limits = Limits(), _ body: (HandOffUnderTest) async throws -> Void
    ) async throws {
        switch self {
        case .memory:
            let handOff = InMemoryHandOff(limits: limits)
            try await body(HandOffUnderTest(handOff: handOff, reader: handOff, content: .memory(handOff)))
        case .redis, .cluster:
            let server = try (self == .redis ? RedisServer.shared : RedisServer.sharedCluster).get()
            try await RedisFleet.with(server.configuration, limits: limits) { fleet in
                try await body(
                    HandOffUnderTest(handOff: fleet.handOff, reader: fleet.makeReader(), content: .redis(fleet)))
            }
        }
    }
}

extension Backend {
    /// The same on a server that no other test uses.
    func runAlone(_ body: (HandOffUnderTest) async throws -> Void) async throws {
        if self == .memory { return try await run(body) }
        let server = self == .redis ? try RedisServer.started() : try RedisServer.startedCluster()
        defer { server.kill() }
        try await RedisFleet.with(server.configuration) { fleet in
            try await body(
                HandOffUnderTest(handOff: fleet.handOff, reader: fleet.makeReader(), content: .redis(fleet)))
        }
    }
}

/// A hand-off, and what a test wants to see of it beyond its operations.
struct HandOffUnderTest: Sendable {
    enum Content: Sendable {
        case memory(InMemoryHandOff)
        case redis(RedisFleet)
    }

    let handOff: any HandOff
    let reader: any StreamReader
    let content: Content

    let partition = Partition(7)
    let group = WorkerGroup.transcript
    let member = Incarnation(startingAs: "worker-0")

    /// Registers a session and returns its grant.
    @discardableResult
    func register(_ session: TestSession) async throws -> SessionRegistration.Grant {
        try await handOff.register(session.registration(), in: partition)
    }

    /// Takes a lease that must be free.
    func acquire(
        _ group: WorkerGroup? = nil, as member: Incarnation? = nil, lapsed: Lease.Sighting? = nil,
        stream: StreamKind? = .audio
    ) async throws -> Lease.Grant {
        let attempt = Lease.Attempt(partition: partition, owner: member ?? self.member, lapsed: lapsed)
        let outcome = try await handOff.acquire([attempt], group: group ?? self.group, stream: stream)[partition]
        guard case .granted(let grant)? = outcome else { throw Unexpected("the lease was refused: \(outcome as Any)") }
        return grant
    }

    func sighting(_ group: WorkerGroup? = nil) async throws -> Lease.Sighting {
        let seen = try await handOff.sightings(of: [partition], group: group ?? self.group)
        guard let sighting = seen[partition] else { throw Unexpected("nobody has the lease") }
        return sighting
    }

    /// A commit of this suite's group and partition.
    func commit(
        _ token: FencingToken, _ number: Int64, position: Commit.Position? = nil, _ lanes: [Commit.Lane] = [],
        group: WorkerGroup? = nil
    ) async throws -> Commit.Outcome {
        try await handOff.commit(
            Commit(
                group: group ?? self.group, stream: .audio, partition: partition, token: token, number: number,
                position: position, lanes: lanes))
    }

    func session(_ session: TestSession, _ group: WorkerGroup? = nil) async throws -> RegisteredSession? {
        try await handOff.session(session.id, group: group ?? self.group, in: partition)
    }

    func stream(_ kind: StreamKind) async throws -> [StreamEntry] {
        try await handOff.entries(of: kind, in: partition, after: .start, count: 10_000)
    }

    /// The texts of the events written so far.
    func events() async throws -> [String] { try await stream(.events).map { String(buffer: $0.payload) } }

    func lag(_ group: WorkerGroup? = nil) async throws -> GroupLag? {
        try await handOff.lag(of: group ?? self.group, stream: .audio, in: [partition]).first
    }

    /// The entries a group has not had, and those of the stream.
    func lagCounts(_ group: WorkerGroup? = nil) async throws -> [Int64?] {
        guard let lag = try await lag(group) else { return [] }
        return [lag.entries, lag.length]
    }

    /// The store forgets everything; on Redis that takes a server of the test's own.
    func loseData() async throws {
        switch content {
        case .memory(let handOff): handOff.loseData()
        case .redis(let fleet): _ = try await fleet.client.execute(RedisCommand("FLUSHALL"))
        }
    }

    /// What a group gave up on, with the reasons.
    func deadLetters() async throws -> [(payload: ByteBuffer, reason: String)] {
        switch content {
        case .memory(let handOff):
            return handOff.deadLetters(of: group, in: partition).map { ($0.entry.payload, $0.reason) }
        case .redis(let fleet):
            let key = RedisArgument(fleet.keys.dead(group, partition))
            let reply = try await fleet.client.execute(RedisCommand("XRANGE", key, "-", "+"))
            return (reply.array ?? []).compactMap { entry in
                guard let fields = entry.array?.last?.array, fields.count == 4, let payload = fields[1].bytes,
                    let reason = fields[3].string
                else { return nil }
                return (payload, reason)
            }
        }
    }

    /// Runs a body and returns the results that a gateway's channel got, once there are so many.
    func published(
        to gateway: Incarnation, count: Int, during body: () async throws -> Void
    ) async throws -> [LiveResult] {
        switch content {
        case .memory(let handOff):
            try await body()
            return handOff.published.filter { $0.gateway == gateway.description }.map(\.result)
        case .redis(let fleet):
            let subscription = LiveResultSubscription(
                configuration: fleet.configuration, keys: fleet.keys, gateway: gateway,
                eventLoop: RedisFleet.eventLoop, logger: RedisFleet.logger)
            let (stream, continuation) = AsyncStream.makeStream(
                of: LiveResultSubscription.Event.self, bufferingPolicy: .bufferingOldest(1_000))
            return try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await subscription.run { continuation.yield($0) } }
                defer { tasks.cancelAll() }
                var iterator = stream.makeAsyncIterator()
                guard case .resubscribed? = await iterator.next() else { throw Unexpected("no subscription") }
                try await body()
                var results: [LiveResult] = []
                while results.count < count, case .result(let result)? = await iterator.next() {
                    results.append(result)
                }
                return results
            }
        }
    }
}

/// Something a test relies on and did not get.
struct Unexpected: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The error of the hand-off that a body throws, if it does.
func handOffError(of body: () async throws -> Void) async -> HandOffError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? HandOffError
    }
}
