import AudioStreams
import EarshotModel
import RedisClient
import TestSupport

/// What stands in the fleet's Redis, read past the proxy.
struct RedisView: Sendable {
    /// A lease as it is held.
    struct HeldLease: Hashable, Sendable {
        var partition: Partition
        var group: WorkerGroup
        var owner: String
        var token: String
        var beat: Int
        /// Commits under this token.
        var commits: Int
    }

    /// How far groups are behind, over all partitions.
    struct Lag: Sendable {
        var entries = 0
        /// Partitions and groups for which Redis cannot tell.
        var unknown = 0
        /// Entries of each group, what Redis cannot tell as one.
        var byGroup: [String: Int] = [:]
    }

    let client: RedisClient
    let keys = StreamKeys()
    let partitions: [Partition]
    /// The enabled groups of each stream.
    let groups: [(stream: StreamKind, groups: [WorkerGroup])]

    /// Reads what the fleet has agreed on.
    init(client: RedisClient) async throws {
        self.client = client
        let count = try await client.execute(
            RedisCommand("HGET", .init(keys.fleetMeta), "partitions").retriable()
        ).int
        partitions = (0..<(count ?? 0)).map { Partition($0) }
        let fields = ["audio_groups", "event_groups", "sample_groups"]
        let meta = keys.meta(Partition(0))
        let command = RedisCommand("HMGET", arguments: [.init(meta)] + fields.map { .init($0) })
        // A coordinator writes them in its first round, and without them nothing would be seen to be unread.
        let lists = try await eventually(within: .seconds(30), "the groups are enabled") {
            let lists = try await client.execute(command.retriable()).array ?? []
            return lists.contains { $0.string == nil } ? nil : lists
        }
        groups = zip([StreamKind.audio, .events, .speakerSample], lists).map { stream, list in
            (stream, (list.string ?? "").split(separator: ",").map { WorkerGroup(String($0)) })
        }
    }

    /// The names of all of them.
    var groupNames: [String] { groups.flatMap(\.groups).map(\.name) }

    /// The groups that hold leases: those of streams, and the coordinator's own.
    var leasingGroups: [WorkerGroup] { groups.flatMap(\.groups) + [.coordinator] }

    /// Sessions without an end marker.
    func liveSessions() async throws -> Int {
        try await ask(partitions.map { RedisCommand("HLEN", .init(keys.live($0))) }).reduce(0) { $0 + ($1.int ?? 0) }
    }

    /// Conversations that are not completed, or not told anew since they went on.
    func openConversations() async throws -> Int {
        try await ask(partitions.map { RedisCommand("HLEN", .init(keys.conversations($0))) })
            .reduce(0) { $0 + ($1.int ?? 0) }
    }

    /// When sessions were ended in the registry, in Unix µs, by their ids; it keeps that for a day.
    func ends(of sessions: [(id: SessionID, user: UserID)]) async throws -> [String: Int64] {
        var ends: [String: Int64] = [:]
        var rest = sessions[...]
        while !rest.isEmpty {
            let some = rest.prefix(500)
            rest = rest.dropFirst(some.count)
            let replies = try await ask(
                some.map { session in
                    let partition = Partition(of: session.user, count: partitions.count)
                    return RedisCommand("HGET", .init(keys.session(session.id, partition)), "ended")
                })
            for (session, reply) in zip(some, replies) {
                ends[session.id.description] = reply.string.flatMap { Int64($0) }
            }
        }
        return ends
    }

    func lag() async throws -> Lag {
        var lag = Lag()
        for (stream, groups) in groups where !groups.isEmpty {
            let replies = try await ask(
                partitions.map { RedisCommand("XINFO", "GROUPS", .init(keys.stream(stream, $0))) })
            for reply in replies {
                for group in reply.array ?? [] { Self.add(group, of: groups, to: &lag) }
            }
        }
        return lag
    }

    private static func add(_ reply: RESPValue, of groups: [WorkerGroup], to lag: inout Lag) {
        let fields = reply.array ?? []
        var values: [String: RESPValue] = [:]
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            values[fields[index].string ?? ""] = fields[index + 1]
        }
        guard let name = values["name"]?.string, groups.contains(where: { $0.name == name }) else { return }
        guard let entries = values["lag"]?.int else {
            lag.unknown += 1
            lag.byGroup[name, default: 0] += 1
            return
        }
        lag.entries += entries
        lag.byGroup[name, default: 0] += entries
    }

    /// The leases of some groups that nobody has released.
    func leases(of groups: [WorkerGroup]) async throws -> [HeldLease] {
        let places = groups.flatMap { group in partitions.map { (group, $0) } }
        let replies = try await ask(
            places.map { group, partition in
                RedisCommand(
                    "HMGET", .init(keys.lease(group, partition)), "owner", "token", "beat", "number", "released")
            })
        return zip(places, replies).compactMap { place, reply in
            guard let fields = reply.array, let owner = fields[0].string, let token = fields[1].string,
                fields[4].string != "1"
            else { return nil }
            return HeldLease(
                partition: place.1, group: place.0, owner: owner, token: token, beat: fields[2].int ?? 0,
                commits: fields[3].int ?? 0)
        }
    }

    /// Sessions in the live index, with the gateway of each.
    func liveByPartition() async throws -> [Partition: Int] {
        let replies = try await ask(partitions.map { RedisCommand("HLEN", .init(keys.live($0))) })
        return Dictionary(uniqueKeysWithValues: zip(partitions, replies.map { $0.int ?? 0 }))
    }

    /// Entries ever added to each partition's event stream.
    func eventsAdded() async throws -> [Partition: Int] {
        let replies = try await ask(partitions.map { RedisCommand("XINFO", "STREAM", .init(keys.events($0))) })
        let counts = replies.map { reply -> Int in
            let fields = reply.array ?? []
            guard let index = fields.firstIndex(where: { $0.string == "entries-added" }), index + 1 < fields.count
            else { return 0 }
            return fields[index + 1].int ?? 0
        }
        return Dictionary(uniqueKeysWithValues: zip(partitions, counts))
    }

    /// Sends many reads at once.
    func ask(_ commands: [RedisCommand]) async throws -> [RESPValue] {
        try await client.execute(RedisPipeline(commands.map { $0.retriable() }))
    }
}
