package import EarshotModel
import Synchronization

// What coordinators do to streams and sessions.
extension InMemoryHandOff {
    package func enable(
        _ groups: EnabledGroups, in partitions: [Partition]
    ) async throws(HandOffError) -> [Partition: String] {
        try perform { state throws(HandOffError) in
            var result: [Partition: String] = [:]
            for partition in partitions {
                for (stream, list) in groups.byStream {
                    for group in list { state.ensureGroup(group, stream, partition) }
                    state.partitions[partition, default: .init()].enabled[stream] = list
                }
                let known = state.partitions[partition]?.incarnation
                let incarnation = known ?? HandOffCommands.hexadecimal(.random(in: 1 ... .max))
                state.partitions[partition]?.incarnation = incarnation
                result[partition] = incarnation
            }
            return result
        }
    }

    package func incarnations(of partitions: [Partition]) async throws(HandOffError) -> [Partition: String] {
        try perform { state throws(HandOffError) in
            var result: [Partition: String] = [:]
            for partition in partitions { result[partition] = state.partitions[partition]?.incarnation }
            return result
        }
    }

    package func trim(
        _ stream: StreamKind, in partition: Partition, token: FencingToken, group: WorkerGroup
    ) async throws(HandOffError) -> Int64 {
        try perform { state throws(HandOffError) in state.trim(stream, partition, token, group) }
    }

    package func skipUnwanted(
        by group: WorkerGroup, in partition: Partition, lapsed: Lease.Sighting?, token: FencingToken
    ) async throws(HandOffError) -> UnwantedSkip {
        let count = limits.readCount
        return try perform { state throws(HandOffError) in
            state.skipUnwanted(group, partition, lapsed: lapsed, token: token, count: count)
        }
    }

    package func completeEnded(in partition: Partition, token: FencingToken) async throws(HandOffError) -> Int {
        try perform { state throws(HandOffError) in state.completeEnded(partition, token) }
    }

    package func lag(
        of group: WorkerGroup, stream: StreamKind, in partitions: [Partition]
    ) async throws(HandOffError) -> [GroupLag] {
        try perform { state throws(HandOffError) in partitions.map { state.lag(of: group, stream, in: $0) } }
    }

    /// Forgets everything, as a Redis does that was flushed; readers that wait are woken.
    package func loseData() {
        let waiters = state.withLock { state in
            (state.fleet, state.members, state.partitions) = (nil, [:], [:])
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }
}
