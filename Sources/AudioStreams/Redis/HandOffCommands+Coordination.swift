import EarshotModel
import RedisClient

// The calls of coordinators about streams and sessions.
extension HandOffCommands {
    func trim(_ stream: StreamKind, in partition: Partition, token: FencingToken, group: WorkerGroup) -> RedisCommand {
        call(
            "trim", keys: [keys.lease(group, partition), keys.stream(stream, partition), keys.meta(partition)],
            arguments: [.init(token.text), .init(stream.groupsField)])
    }

    func skipUnwanted(
        by group: WorkerGroup, _ flag: WorkerFlags, in partition: Partition, lapsed: Lease.Sighting?,
        token: FencingToken
    ) -> RedisCommand {
        call(
            "skip_unwanted",
            keys: [
                keys.lease(.coordinator, partition), keys.lease(group, partition), keys.audio(partition),
                keys.meta(partition), keys.ended(partition),
            ],
            arguments: [
                .init(token.text), .init(group.name), .init(Int(flag.rawValue)), .init(lapsed?.token.text ?? ""),
                .init(lapsed.map { String($0.beat) } ?? ""), .init(limits.readCount),
                .init(keys.sessionPrefix(partition)), .init(keys.finalsPrefix(partition)),
                .init(limits.endedSessionRetention.components.seconds),
            ])
    }

    func completeEnded(in partition: Partition, token: FencingToken) -> RedisCommand {
        call(
            "complete_ended",
            keys: [keys.lease(.coordinator, partition), keys.meta(partition), keys.ended(partition)],
            arguments: [
                .init(token.text), .init(keys.sessionPrefix(partition)), .init(keys.finalsPrefix(partition)),
                .init(limits.endedSessionRetention.components.seconds),
            ])
    }

    func lag(of group: WorkerGroup, _ stream: StreamKind, in partition: Partition) -> RedisCommand {
        call(
            "lag", keys: [keys.stream(stream, partition), keys.parked(group, partition)],
            arguments: [.init(group.name), .init(stream.rawValue), .init(keys.sessionPrefix(partition))])
    }

    func incarnation(of partition: Partition) -> RedisCommand {
        RedisCommand("HGET", .init(keys.meta(partition)), "incarnation").retriable()
    }
}
