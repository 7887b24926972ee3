package import EarshotModel
import RedisClient

// What coordinators do to streams and sessions.
extension RedisHandOff {
    package func enable(
        _ groups: EnabledGroups, in partitions: [Partition]
    ) async throws(HandOffError) -> [Partition: String] {
        let replies = try await execute(partitions.map { commands.enable(groups, in: $0) })
        var result: [Partition: String] = [:]
        for (partition, reply) in zip(partitions, replies) {
            guard let incarnation = reply.string else { throw malformed("enable", reply) }
            result[partition] = incarnation
        }
        return result
    }

    package func incarnations(of partitions: [Partition]) async throws(HandOffError) -> [Partition: String] {
        let replies = try await execute(partitions.map { commands.incarnation(of: $0) })
        var result: [Partition: String] = [:]
        for (partition, reply) in zip(partitions, replies) {
            if reply.asError != nil { throw malformed("HGET", reply) }
            result[partition] = reply.string
        }
        return result
    }

    package func trim(
        _ stream: StreamKind, in partition: Partition, token: FencingToken, group: WorkerGroup
    ) async throws(HandOffError) -> Int64 {
        Int64(try await number(commands.trim(stream, in: partition, token: token, group: group), "trim"))
    }

    package func skipUnwanted(
        by group: WorkerGroup, in partition: Partition, lapsed: Lease.Sighting?, token: FencingToken
    ) async throws(HandOffError) -> UnwantedSkip {
        guard let flag = WorkerFlags(group) else { return .passed(0) }
        let passed = try await number(
            commands.skipUnwanted(by: group, flag, in: partition, lapsed: lapsed, token: token), "skip_unwanted")
        return switch passed {
        case -1: .fenced
        case -2: .held
        default: .passed(passed)
        }
    }

    package func completeEnded(in partition: Partition, token: FencingToken) async throws(HandOffError) -> Int {
        try await number(commands.completeEnded(in: partition, token: token), "complete_ended")
    }

    package func lag(
        of group: WorkerGroup, stream: StreamKind, in partitions: [Partition]
    ) async throws(HandOffError) -> [GroupLag] {
        let replies = try await execute(partitions.map { commands.lag(of: group, stream, in: $0) })
        var result: [GroupLag] = []
        for (partition, reply) in zip(partitions, replies) {
            guard let lag = GroupLag(of: stream, in: partition, reply: reply) else { throw malformed("lag", reply) }
            result.append(lag)
        }
        return result
    }
}
