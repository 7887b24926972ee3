package import EarshotModel
import NIOCore
package import RedisClient

/// Reads what the ledger needs from Redis: some plain commands a session, pipelined, and never the streams' contents
/// but for the first entry of one, and the dead letters of a partition that seems to have lost something.
package struct LedgerReader: Sendable {
    private let client: RedisClient
    private let keys: StreamKeys
    private let limits: Limits

    /// Uses a client that runs.
    package init(client: RedisClient, keys: StreamKeys, limits: Limits) {
        self.client = client
        self.keys = keys
        self.limits = limits
    }

    /// The fleet's partitions; `nil` before its first start.
    package func partitions() async throws(HandOffError) -> Int? {
        try await execute([RedisCommand("HGET", .init(keys.fleetMeta), "partitions").retriable()])[0].int
    }

    /// The partition whose registry has a session of an unknown user.
    package func find(_ session: SessionID, in partitions: Int) async throws(HandOffError) -> Partition? {
        let all = (0..<partitions).map { Partition($0) }
        let replies = try await execute(
            all.map { RedisCommand("EXISTS", .init(keys.session(session, $0))).retriable() })
        return zip(all, replies).first { $0.1.int == 1 }?.0
    }

    /// A page of the sessions that the registry has, from a cursor on (`0` first), and the next one; `nil` at the end.
    ///
    /// Redis may name a session twice.
    package func sessions(
        from cursor: String
    ) async throws(HandOffError) -> (sessions: [SessionID], next: String?) {
        let reply = try await execute([
            RedisCommand("SCAN", .init(cursor), "MATCH", "*:session:*", "COUNT", .init(Self.scanCount)).retriable()
        ])
        let page = reply[0].array ?? []
        let names = page.last?.array?.compactMap(\.string) ?? []
        let next = page.first?.string ?? "0"
        return (names.compactMap { keys.session(named: $0) }, next == "0" ? nil : next)
    }

    /// Keys Redis looks at in one step: under a millisecond of its time.
    private static let scanCount = 1_000

    /// Looks at sessions.
    ///
    /// Each is looked at from the stream's end of its way to the record's: what moves on meanwhile is seen where it was
    /// or where it is, never nowhere.
    package func look(
        at sessions: [(session: SessionID, partition: Partition)]
    ) async throws(HandOffError) -> [LedgerSighting] {
        var result: [LedgerSighting] = []
        for start in stride(from: 0, to: sessions.count, by: Self.batchMaximum) {
            let batch = sessions[start..<min(start + Self.batchMaximum, sessions.count)]
            let replies = try await execute(batch.flatMap { commands($0.session, $0.partition) })
            for (index, one) in batch.enumerated() {
                let values = Array(replies[index * Self.commandCount..<(index + 1) * Self.commandCount])
                result.append(LedgerSighting(one.session, one.partition, values))
            }
        }
        return result
    }

    /// Whether the record has come as far as a partition's events went at a sighting.
    package func isRecorded(_ sighting: LedgerSighting) async throws(HandOffError) -> Bool {
        let reply = try await execute([
            RedisCommand("XINFO", "GROUPS", .init(keys.events(sighting.partition))).retriable()
        ])
        var later = sighting
        later.recorded = LedgerSighting.position(of: .record, in: reply[0])
        return later.isRecorded
    }

    /// The messages of a session among a group's dead letters of its partition.
    package func deadMessages(
        of session: SessionID, group: WorkerGroup, in partition: Partition
    ) async throws(HandOffError) -> [Range<UInt64>] {
        let letters = keys.dead(group, partition)
        // Redis trims a stream by whole nodes, so there may be some more than the limit.
        let reply = try await execute([
            RedisCommand("XREVRANGE", .init(letters), "+", "-", "COUNT", .init(2 * limits.deadLettersMaximum))
                .retriable()
        ])
        return (reply[0].array ?? []).compactMap { value in
            guard let bytes = StreamEntry(reply: value)?.payload, let entry = try? AudioEntry(decoding: bytes),
                entry.session == session, !entry.frames.isEmpty
            else { return nil }
            return entry.firstSequence..<entry.nextSequence
        }
    }

    private static let commandCount = 7
    /// Sessions a pipeline; the first entries of their streams make most of its answer, at most 8 KB each.
    private static let batchMaximum = 100

    /// In this order: an end marker that is trimmed away before its group is seen done, or its entries parked, was
    /// never passed; an event of what the registry says is not behind the last one seen after it.
    private func commands(_ session: SessionID, _ partition: Partition) -> [RedisCommand] {
        [
            RedisCommand("XRANGE", .init(keys.audio(partition)), "-", "+", "COUNT", 1),
            RedisCommand("HGET", .init(keys.parked(.transcript, partition)), .init(session.description)),
            RedisCommand("HGET", .init(keys.parked(.privateCloud, partition)), .init(session.description)),
            RedisCommand(["HMGET", .init(keys.session(session, partition))] + LedgerSighting.fields.map { .init($0) }),
            RedisCommand("HGET", .init(keys.meta(partition)), "audio_groups"),
            RedisCommand("XREVRANGE", .init(keys.events(partition)), "+", "-", "COUNT", 1),
            RedisCommand("XINFO", "GROUPS", .init(keys.events(partition))),
        ].map { $0.retriable() }
    }

    private func execute(_ list: [RedisCommand]) async throws(HandOffError) -> [RESPValue] {
        do throws(RedisError) {
            return try await client.execute(RedisPipeline(list))
        } catch {
            throw HandOffError(error)
        }
    }
}

extension LedgerSighting {
    fileprivate static let fields = [
        "uid", "first", "from", "last", "reason", "end", "predecessor", "successor", "flags", "next:transcript",
        "done:transcript", "next:private-cloud", "done:private-cloud",
    ]

    fileprivate init(_ session: SessionID, _ partition: Partition, _ replies: [RESPValue]) {
        self.session = session
        self.partition = partition
        lastEvent = Self.position(ofFirst: replies[5])
        recorded = Self.position(of: .record, in: replies[6])
        let values = (replies[3].array ?? []).map(\.string)
        guard values.count == Self.fields.count, let user = values[0] else { return }
        let number = { (index: Int) in values[index].flatMap { UInt64($0) } }
        let flags = WorkerFlags(rawValue: UInt8(clamping: number(8) ?? 0))
        let groups = (replies[4].string ?? "").split(separator: ",")
        let end = values[5].flatMap { StreamPosition($0) }
        let first = Self.position(ofFirst: replies[0])
        registry = LedgerEntry(
            user: user, from: number(2) ?? 0, first: number(1) ?? 0, last: number(3), endReason: values[4],
            predecessor: values[6].flatMap { SessionID($0) }, successor: values[7].flatMap { SessionID($0) },
            isStorageWanted: flags.contains(.privateCloud) && groups.contains(Substring(WorkerGroup.privateCloud.name)),
            transcript: LedgerProgress(
                next: number(9) ?? 0, isDone: values[10] == "1", parked: Self.parkedEntries(replies[1])),
            storage: LedgerProgress(
                next: number(11) ?? 0, isDone: values[12] == "1", parked: Self.parkedEntries(replies[2])),
            isGoneFromStream: end.map { end in first.map { $0 > end } ?? true } ?? false)
    }

    /// `bytes entries first last` of a session that has parked something.
    private static func parkedEntries(_ reply: RESPValue) -> Int {
        let words = reply.string?.split(separator: " ") ?? []
        return words.count == 4 ? Int(words[1]) ?? 0 : 0
    }

    private static func position(ofFirst reply: RESPValue) -> StreamPosition? {
        reply.array?.first?.array?.first?.string.flatMap { StreamPosition($0) }
    }

    fileprivate static func position(of group: WorkerGroup, in reply: RESPValue) -> StreamPosition? {
        for value in reply.array ?? [] {
            let words = value.array ?? []
            var name: String?
            var position: StreamPosition?
            for index in stride(from: 0, to: words.count - 1, by: 2) {
                switch words[index].string {
                case "name": name = words[index + 1].string
                case "last-delivered-id": position = words[index + 1].string.flatMap { StreamPosition($0) }
                default: continue
                }
            }
            if name == group.name { return position }
        }
        return nil
    }
}
