import AudioStreams
import EarshotModel
import NIOCore
import RedisClient
import TestSupport
import Testing

/// What only a real Redis can show.
@Suite("Hand-off: on Redis only")
struct RedisHandOffTests {
    private let partition = Partition(7)
    private let worker = Incarnation(startingAs: "worker-0")

    private func acquire(
        _ handOff: RedisHandOff, _ group: WorkerGroup, _ stream: StreamKind?
    ) async throws -> Lease.Grant {
        let attempt = Lease.Attempt(partition: partition, owner: worker)
        let outcome = try await handOff.acquire([attempt], group: group, stream: stream)[partition]
        guard case .granted(let grant)? = outcome else { throw Unexpected("no lease: \(outcome as Any)") }
        return grant
    }

    /// Every operation of one partition, once.
    private func everything(_ handOff: RedisHandOff, _ reader: RedisStreamReader) async throws {
        try await handOff.enable(audioGroups: [.transcript], eventGroups: [.record], in: [partition])
        let session = TestSession(user: "u1")
        let grant = try await handOff.register(session.registration(), in: partition)
        let position = try await handOff.append(session.entry(from: 0, count: 2), to: partition)
        #expect(try await handOff.holds(session.id, epoch: grant.epoch, in: partition))
        let lease = try await acquire(handOff, .transcript, .audio)
        #expect(try await handOff.renew([partition: lease.token], group: .transcript) == [partition])
        #expect(try await handOff.sightings(of: [partition], group: .transcript).count == 1)
        let isOurs = try await handOff.takeInHand(
            "s@1-0", clearing: "t@1-0", token: lease.token, group: .transcript, partition: partition)
        #expect(isOurs)
        #expect(try await reader.read(.audio, after: [partition: .start], count: 9, block: .seconds(9)).count == 1)
        #expect(try await handOff.entries(of: .audio, in: partition, after: .start, count: 9).count == 1)
        let result = LiveResult(kind: .final, session: session.id, ordinal: 0, count: 1, text: "[]")
        let lane = Commit.Lane(
            session: session.id, progress: LaneProgress(next: 2, isDone: true), events: ["e"], finals: [result],
            deadLetters: [Commit.DeadLetter(entry: StreamEntry(position: position, payload: .init()), reason: "r")])
        let nobody = Commit.Lane(session: nil, progress: LaneProgress())
        guard
            case .parked = try await handOff.park(
                [position], of: session.id, token: lease.token, group: .transcript, partition: partition)
        else { throw Unexpected("not parked") }
        let parked = try await handOff.parkedEntries(
            of: session.id, group: .transcript, in: partition, after: .start, count: 9)
        #expect(parked.count == 1)
        let commit = Commit(
            group: .transcript, stream: .audio, partition: partition, token: lease.token, number: 1,
            position: Commit.Position(position: position, entriesRead: 1), lanes: [lane, nobody],
            unparked: [Commit.Unparked(session: session.id, keptFrom: nil)])
        #expect(try await handOff.commit(commit) == .applied)
        #expect(try await handOff.finals(of: session.id, in: partition) == [result])
        let wasPublished = try await handOff.publish(
            result, to: session.gateway, token: lease.token, group: .transcript, partition: partition)
        #expect(wasPublished)
        guard case .ended = try await handOff.end(session.ending(epoch: grant.epoch), in: partition) else {
            throw Unexpected("not ended")
        }
        #expect(try await handOff.session(session.id, group: .transcript, in: partition)?.isCompleted == true)
        #expect(try await handOff.liveSessions(in: [partition]).isEmpty)
        let coordinator = try await acquire(handOff, .coordinator, nil)
        _ = try await handOff.trim(.audio, in: partition, token: coordinator.token, group: .coordinator)
        #expect(try await handOff.lag(of: .transcript, stream: .audio, in: [partition]).first?.entries == 1)
        try await handOff.release(lease.token, group: .transcript, partition: partition)
    }

    @Test("H7: everything a partition's operations touch carries the partition's hash tag")
    func partitionTag() async throws {
        let keys = StreamKeys(prefix: RedisFleet.freshPrefix())
        let configuration = try await restricted(to: "\(keys.prefix):{\(partition)}:*")
        try await RedisFleet.with(configuration, prefix: keys.prefix) { fleet in
            try await everything(fleet.handOff, fleet.makeReader())
            // The restriction is real: another tag is refused.
            let other = await handOffError { _ = try await fleet.handOff.append(.init(), to: Partition(8)) }
            #expect(other?.message.contains("NOPERM") == true)
        }
    }

    @Test("H7: everything fleet-wide carries the fleet's hash tag")
    func fleetTag() async throws {
        let keys = StreamKeys(prefix: RedisFleet.freshPrefix())
        let configuration = try await restricted(to: "\(keys.prefix):{fleet}:*")
        try await RedisFleet.with(configuration, prefix: keys.prefix) { fleet in
            _ = try await fleet.handOff.joinFleet(FleetMeta(partitions: 8))
            try await fleet.handOff.join(kind: "gateway", as: worker)
            _ = try await fleet.handOff.beat(kind: "gateway", as: worker)
            _ = try await fleet.handOff.members(kind: "gateway")
            try await fleet.handOff.leave(kind: "gateway", as: worker)
            let other = await handOffError { _ = try await fleet.handOff.append(.init(), to: partition) }
            #expect(other?.message.contains("NOPERM") == true)
        }
    }

    @Test("H7: a node in cluster mode takes every call, for many partitions at once; only one read of two it refuses")
    func cluster() async throws {
        let server = try RedisServer.sharedCluster.get()
        try await RedisFleet.with(server.configuration) { fleet in
            let handOff = fleet.handOff
            try await everything(handOff, fleet.makeReader())
            _ = try await handOff.joinFleet(FleetMeta(partitions: 8))
            try await handOff.join(kind: "gateway", as: worker)
            #expect(try await handOff.members(kind: "gateway").count == 1)
            let all = (0..<8).map { Partition($0) }
            try await handOff.enable(audioGroups: [.transcript, .privateCloud], eventGroups: [.record], in: all)
            #expect(try await handOff.incarnations(of: all).count == 8)
            let attempts = all.map { Lease.Attempt(partition: $0, owner: worker) }
            var tokens: [Partition: FencingToken] = [:]
            for (partition, outcome) in try await handOff.acquire(attempts, group: .privateCloud, stream: .audio) {
                if case .granted(let grant) = outcome { tokens[partition] = grant.token }
            }
            #expect(try await handOff.renew(tokens, group: .privateCloud) == Set(all))
            #expect(try await handOff.sightings(of: all, group: .privateCloud).count == 8)
            for partition in all { _ = try await handOff.append(.init(string: "a"), to: partition) }
            #expect(try await handOff.lag(of: .privateCloud, stream: .audio, in: all).count == 8)
            let reader = fleet.makeReader()
            #expect(try await reader.read(.audio, after: [all[0]: .start], count: 1, block: .seconds(9)).count == 1)
            // A worker's one read of all it owns is what keeps it off a cluster; one that splits it changes this test.
            let both = [all[0]: StreamPosition.start, all[1]: .start]
            let refused = await handOffError {
                _ = try await reader.read(.audio, after: both, count: 1, block: .seconds(9))
            }
            #expect(refused?.code == .refused)
        }
    }

    /// The shared server as a user of its access list who may touch only some keys, by function too.
    private func restricted(to pattern: String) async throws -> RedisConfiguration {
        let name = "user-\(FencingToken.drawNonce())"
        return try await RedisFleet.with { fleet in
            _ = try await fleet.client.execute(
                RedisCommand("ACL", "SETUSER", .init(name), "on", ">secret", "~\(pattern)", "&*", "+@all"))
            var configuration = fleet.configuration
            configuration.username = name
            configuration.password = "secret"
            return configuration
        }
    }

    @Test("A full Redis refuses audio and sessions, and still lets everything drain")
    func outOfMemory() async throws {
        let server = try RedisServer.started(options: ["--appendonly", "no"])
        defer { server.kill() }
        try await RedisFleet.with(server.configuration) { fleet in
            let handOff = fleet.handOff
            try await handOff.enable(audioGroups: [.transcript], eventGroups: [], in: [partition])
            let session = TestSession(user: "u1")
            let registered = try await handOff.register(session.registration(), in: partition)
            let first = try await handOff.append(session.entry(from: 0, count: 1), to: partition)
            let second = try await handOff.append(session.entry(from: 1, count: 1), to: partition)
            let lease = try await acquire(handOff, .transcript, .audio)
            #expect(first < second)
            _ = try await fleet.client.execute(RedisCommand("CONFIG", "SET", "maxmemory", "1mb"))
            _ = try await fleet.client.execute(RedisCommand("CONFIG", "SET", "maxmemory-policy", "noeviction"))
            _ = try await fleet.client.execute(RedisCommand("CONFIG", "SET", "maxmemory", "1"))

            let append = await handOffError {
                _ = try await handOff.append(session.entry(from: 2, count: 1), to: partition)
            }
            #expect(append?.code == .outOfMemory)
            let register = await handOffError {
                _ = try await handOff.register(TestSession(user: "u2").registration(), in: partition)
            }
            #expect(register?.code == .outOfMemory)

            try await handOff.join(kind: "transcript", as: worker)
            _ = try await handOff.beat(kind: "transcript", as: worker)
            #expect(try await handOff.renew([partition: lease.token], group: .transcript) == [partition])
            let isOurs = try await handOff.takeInHand(
                "s@1-0", clearing: nil, token: lease.token, group: .transcript, partition: partition)
            #expect(isOurs)
            guard case .ended = try await handOff.end(session.ending(epoch: registered.epoch), in: partition) else {
                throw Unexpected("not ended")
            }
            let parked = try await handOff.park(
                [first, second], of: session.id, token: lease.token, group: .transcript, partition: partition)
            guard case .parked = parked else { throw Unexpected("not parked") }
            let lane = Commit.Lane(
                session: session.id, progress: LaneProgress(next: 2, isDone: true), events: ["still written"])
            let commit = Commit(
                group: .transcript, stream: .audio, partition: partition, token: lease.token, number: 1,
                position: Commit.Position(position: second, entriesRead: 2), lanes: [lane])
            #expect(try await handOff.commit(commit) == .applied)
            let coordinator = try await acquire(handOff, .coordinator, nil)
            #expect(
                try await handOff.trim(.audio, in: partition, token: coordinator.token, group: .coordinator) == 1)
            #expect(try await handOff.session(session.id, group: .transcript, in: partition)?.isCompleted == true)
            try await handOff.release(lease.token, group: .transcript, partition: partition)

            _ = try await fleet.client.execute(RedisCommand("CONFIG", "SET", "maxmemory", "0"))
            _ = try await handOff.append(session.entry(from: 2, count: 1), to: partition)
        }
    }

    @Test("A killed Redis comes back from its log with everything acknowledged, as another server")
    func restart() async throws {
        let server = try RedisServer.started()
        defer { server.kill() }
        try await RedisFleet.with(server.configuration) { fleet in
            let handOff = fleet.handOff
            let session = TestSession(user: "u1")
            let grant = try await handOff.register(session.registration(), in: partition)
            var positions: [StreamPosition] = []
            for number in UInt64(0)..<50 {
                positions.append(try await handOff.append(session.entry(from: number, count: 1), to: partition))
            }
            let lease = try await acquire(handOff, .transcript, .audio)
            let before = try #require(handOff.serverIdentity)
            server.kill()
            try server.start()
            #expect(try await handOff.holds(session.id, epoch: grant.epoch, in: partition))
            #expect(handOff.serverIdentity != before)
            let kept = try await handOff.entries(of: .audio, in: partition, after: .start, count: 100)
            #expect(kept.map(\.position) == positions)
            #expect(try await handOff.renew([partition: lease.token], group: .transcript) == [partition])
        }
    }

    @Test("A frozen Redis loses nothing: what was sent is done when it goes on")
    func freeze() async throws {
        let server = try RedisServer.started()
        defer { server.kill() }
        try await RedisFleet.with(server.configuration) { fleet in
            server.freeze()
            async let position = fleet.handOff.append(.init(string: "late"), to: partition)
            server.thaw()
            let entries = [StreamEntry(position: try await position, payload: .init(string: "late"))]
            #expect(try await fleet.handOff.entries(of: .audio, in: partition, after: .start, count: 9) == entries)
        }
    }
}
