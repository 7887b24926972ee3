package import EarshotModel
package import NIOCore
package import RedisClient

/// The hand-off on a real Redis, through its functions.
package struct RedisHandOff: HandOff {
    private let client: RedisClient
    let commands: HandOffCommands
    var keys: StreamKeys { commands.keys }

    /// Registers the function library with a client; call it before the client runs, so that each connection loads it.
    package static func prepare(_ client: RedisClient) {
        client.register(HandOffFunctions.library)
    }

    /// Uses a client that was prepared and runs.
    package init(client: RedisClient, keys: StreamKeys, limits: Limits) {
        self.client = client
        self.commands = HandOffCommands(keys: keys, limits: limits)
    }

    package var serverIdentity: String? { client.serverIdentity }

    func execute(_ command: RedisCommand) async throws(HandOffError) -> RESPValue {
        do throws(RedisError) {
            return try await client.execute(command)
        } catch {
            throw HandOffError(error)
        }
    }

    func execute(_ list: [RedisCommand]) async throws(HandOffError) -> [RESPValue] {
        guard !list.isEmpty else { return [] }
        do throws(RedisError) {
            return try await client.execute(RedisPipeline(list))
        } catch {
            throw HandOffError(error)
        }
    }

    func malformed(_ what: String, _ reply: RESPValue) -> HandOffError {
        if case .error(let text) = reply { return HandOffError(refusal: text) }
        return HandOffError(.malformedReply, "the answer to \(what) is \(reply.kind)")
    }

    // MARK: Fleet and members

    package func joinFleet(_ meta: FleetMeta) async throws(HandOffError) -> FleetMeta {
        let reply = try await execute(commands.joinFleet(meta))
        guard let values = reply.array, values.count == 3, let partitions = values[0].int,
            let hash = values[1].string, let version = values[2].int
        else { throw malformed("fleet_join", reply) }
        return FleetMeta(partitions: partitions, hash: hash, version: version)
    }

    package func join(kind: String, as member: Incarnation) async throws(HandOffError) {
        _ = try await execute(commands.join(kind: kind, member: member))
    }

    package func beat(kind: String, as member: Incarnation) async throws(HandOffError) -> [String: Int64] {
        try pairs(try await execute(commands.beat(kind: kind, member: member)), of: "member_beat")
    }

    package func members(kind: String) async throws(HandOffError) -> [String: Int64] {
        try pairs(try await execute(RedisCommand("HGETALL", .init(keys.members(kind))).retriable()), of: "HGETALL")
    }

    package func leave(kind: String, as member: Incarnation) async throws(HandOffError) {
        _ = try await execute(
            RedisCommand("HDEL", .init(keys.members(kind)), .init(member.description)).retriable())
    }

    package func forget(kind: String, member: String, beat: Int64) async throws(HandOffError) -> Bool {
        try await execute(commands.forget(kind: kind, member: member, beat: beat)).int == 1
    }

    private func pairs(_ reply: RESPValue, of what: String) throws(HandOffError) -> [String: Int64] {
        guard let values = reply.array else { throw malformed(what, reply) }
        var result: [String: Int64] = [:]
        for index in stride(from: 0, to: values.count - 1, by: 2) {
            if let name = values[index].string, let beat = values[index + 1].int { result[name] = Int64(beat) }
        }
        return result
    }

    // MARK: Sessions

    package func register(
        _ registration: SessionRegistration, in partition: Partition
    ) async throws(HandOffError) -> SessionRegistration.Grant {
        let reply = try await execute(commands.register(registration, in: partition))
        guard let grant = SessionRegistration.Grant(reply: reply) else { throw malformed("register", reply) }
        return grant
    }

    package func append(_ entry: ByteBuffer, to partition: Partition) async throws(HandOffError) -> StreamPosition {
        let reply = try await execute(RedisCommand("XADD", .init(keys.audio(partition)), "*", "e", .init(entry)))
        guard let position = reply.string.flatMap({ StreamPosition($0) }) else { throw malformed("XADD", reply) }
        return position
    }

    package func holds(
        _ session: SessionID, epoch: FencingToken, in partition: Partition
    ) async throws(HandOffError) -> Bool {
        let reply = try await execute(
            RedisCommand("HMGET", .init(keys.session(session, partition)), "epoch", "end").retriable())
        guard let values = reply.array, values.count == 2 else { throw malformed("HMGET", reply) }
        return values[0].string == epoch.text && values[1].isNull
    }

    @discardableResult
    package func note(
        _ session: SessionID, epoch: FencingToken, last: UInt64, capture: Int64, in partition: Partition
    ) async throws(HandOffError) -> Bool {
        let reply = try await execute(
            commands.note(session, epoch: epoch, last: last, capture: capture, in: partition))
        guard let number = reply.int else { throw malformed("note", reply) }
        return number == 1
    }

    package func end(
        _ ending: SessionEnding, in partition: Partition
    ) async throws(HandOffError) -> SessionEnding.Outcome {
        let reply = try await execute(commands.end(ending, in: partition))
        guard let outcome = SessionEnding.Outcome(reply: reply) else { throw malformed("end", reply) }
        return outcome
    }

    package func session(
        _ id: SessionID, group: WorkerGroup, in partition: Partition
    ) async throws(HandOffError) -> RegisteredSession? {
        let reply = try await execute(
            RedisCommand(
                "HMGET",
                arguments: RegisteredSession.fields(group).reduce([.init(keys.session(id, partition))]) {
                    $0 + [RedisArgument($1)]
                }
            ).retriable())
        guard let values = reply.array else { throw malformed("HMGET", reply) }
        return RegisteredSession(id, values: values)
    }

    package func liveSessions(
        in partitions: [Partition]
    ) async throws(HandOffError) -> [Partition: [SessionID: String]] {
        let replies = try await execute(
            partitions.map { RedisCommand("HGETALL", .init(keys.live($0))).retriable() })
        var result: [Partition: [SessionID: String]] = [:]
        for (partition, reply) in zip(partitions, replies) {
            guard let values = reply.array else { throw malformed("HGETALL", reply) }
            var sessions: [SessionID: String] = [:]
            for index in stride(from: 0, to: values.count - 1, by: 2) {
                if let session = values[index].string.flatMap({ SessionID($0) }) {
                    sessions[session] = values[index + 1].string ?? ""
                }
            }
            if !sessions.isEmpty { result[partition] = sessions }
        }
        return result
    }

    package func finals(of session: SessionID, in partition: Partition) async throws(HandOffError) -> [LiveResult] {
        let reply = try await execute(
            RedisCommand("LRANGE", .init(keys.finals(session, partition)), 0, -1).retriable())
        guard let values = reply.array else { throw malformed("LRANGE", reply) }
        return values.compactMap { $0.bytes.flatMap { LiveResult(decoding: $0) } }
    }

    // MARK: Leases

    package func acquire(
        _ attempts: [Lease.Attempt], group: WorkerGroup, stream: StreamKind?
    ) async throws(HandOffError) -> [Partition: Lease.Outcome] {
        let replies = try await execute(attempts.map { commands.acquire($0, group: group, stream: stream) })
        var result: [Partition: Lease.Outcome] = [:]
        for (attempt, reply) in zip(attempts, replies) {
            guard let outcome = Lease.Outcome(reply: reply) else { throw malformed("acquire", reply) }
            result[attempt.partition] = outcome
        }
        return result
    }

    package func renew(
        _ tokens: [Partition: FencingToken], settled: Set<Partition>, group: WorkerGroup
    ) async throws(HandOffError) -> Set<Partition> {
        let list = Array(tokens)
        let replies = try await execute(
            list.map {
                commands.renew(
                    $0.value, isSettled: settled.contains($0.key), group: group, partition: $0.key)
            })
        var kept: Set<Partition> = []
        for (lease, reply) in zip(list, replies) {
            guard let isKept = reply.int else { throw malformed("renew", reply) }
            if isKept == 1 { kept.insert(lease.key) }
        }
        return kept
    }

    package func release(
        _ token: FencingToken, group: WorkerGroup, partition: Partition
    ) async throws(HandOffError) {
        _ = try await execute(commands.release(token, group: group, partition: partition))
    }

    package func sightings(
        of partitions: [Partition], group: WorkerGroup
    ) async throws(HandOffError) -> [Partition: Lease.Sighting] {
        let replies = try await execute(
            partitions.map {
                RedisCommand("HMGET", .init(keys.lease(group, $0)), "token", "beat", "owner", "released").retriable()
            })
        var result: [Partition: Lease.Sighting] = [:]
        for (partition, reply) in zip(partitions, replies) {
            guard let values = reply.array, values.count == 4 else { throw malformed("HMGET", reply) }
            guard let token = values[0].string, let beat = values[1].int else { continue }
            result[partition] = Lease.Sighting(
                token: FencingToken(token), beat: Int64(beat), owner: values[2].string ?? "",
                isReleased: values[3].string == "1")
        }
        return result
    }

    package func takeInHand(
        _ hand: String?, clearing cleared: String?, token: FencingToken, group: WorkerGroup, partition: Partition
    ) async throws(HandOffError) -> Bool {
        let reply = try await execute(
            commands.hand(hand, clearing: cleared, token: token, group: group, partition: partition))
        guard let number = reply.int else { throw malformed("hand", reply) }
        return number == 1
    }

    // MARK: Streams

    package func entries(
        of stream: StreamKind, in partition: Partition, after position: StreamPosition, count: Int
    ) async throws(HandOffError) -> [StreamEntry] {
        try await entries(of: keys.stream(stream, partition), after: position, count: count)
    }

    private func entries(
        of key: String, after position: StreamPosition, count: Int
    ) async throws(HandOffError) -> [StreamEntry] {
        let reply = try await execute(
            RedisCommand("XRANGE", .init(key), .init("(\(position)"), "+", "COUNT", .init(count)).retriable())
        guard let values = reply.array else { throw malformed("XRANGE", reply) }
        return values.compactMap(StreamEntry.init(reply:))
    }

    package func park(
        _ positions: [StreamPosition], of session: SessionID, token: FencingToken, group: WorkerGroup,
        partition: Partition
    ) async throws(HandOffError) -> ParkedLane.Outcome {
        let reply = try await execute(
            commands.park(positions, of: session, token: token, group: group, partition: partition))
        guard let outcome = ParkedLane.Outcome(session, reply: reply) else { throw malformed("park", reply) }
        return outcome
    }

    package func parkedEntries(
        of session: SessionID, group: WorkerGroup, in partition: Partition, after position: StreamPosition, count: Int
    ) async throws(HandOffError) -> [StreamEntry] {
        try await entries(of: keys.parked(session, group, partition), after: position, count: count)
    }

    package func commit(_ commit: Commit) async throws(HandOffError) -> Commit.Outcome {
        let reply = try await execute(commands.commit(commit))
        guard let outcome = reply.string.flatMap(Commit.Outcome.init(rawValue:)) else {
            throw malformed("commit", reply)
        }
        return outcome
    }

    package func publish(
        _ result: LiveResult, to gateway: Incarnation, token: FencingToken, group: WorkerGroup, partition: Partition
    ) async throws(HandOffError) -> Bool {
        let reply = try await execute(
            commands.publish(result, to: gateway, token: token, group: group, partition: partition))
        guard let number = reply.int else { throw malformed("publish", reply) }
        return number == 1
    }
}
