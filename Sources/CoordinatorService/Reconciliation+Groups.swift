import AudioStreams
import CoreMetrics
import EarshotModel
import Logging
import WorkerRuntime

// The enabled groups of partitions, those nobody runs, and what nobody needs any more.
extension Reconciliation {
    /// Enables the groups of partitions that are new here, and of those whose data Redis lost (protocol.md M14).
    mutating func enableGroups(in partitions: [Partition], _ book: LeaseBook) async throws(HandOffError) {
        enabled.formIntersection(partitions)
        let found = try await handOff.incarnations(of: partitions)
        let lost = partitions.filter { partition in
            guard let known = incarnations[partition] else { return false }
            return found[partition] != known
        }
        let due = Set(partitions).subtracting(enabled).union(lost).sorted()
        guard !due.isEmpty else { return }
        if !lost.isEmpty {
            logger.error(
                "Redis lost the data of partitions; their groups are enabled again",
                metadata: ["partitions": "\(lost.count)", "first": "\(lost[0])"])
            metrics.repaired(.redisLostData, lost.count)
            _ = try await handOff.joinFleet(FleetMeta(partitions: configuration.partitions))
        }
        incarnations.merge(try await handOff.enable(configuration.groups, in: due)) { $1 }
        // Only what went through to its end is not done again.
        enabled.subtract(lost)
        try await forEach(due) { partition, context throws(HandOffError) in
            guard let token = book.tokens[partition] else { return }
            let completed = try await context.handOff.completeEnded(in: partition, token: token)
            guard completed > 0 else { return }
            context.metrics.repaired(.completedWithoutGroup, completed)
            context.logger.notice(
                "completed sessions that waited only for groups that are not enabled",
                metadata: ["partition": "\(partition)", "sessions": "\(completed)"])
        }
        enabled.formUnion(due)
    }

    /// Moves the groups that nobody runs past what they do not want (protocol.md C6).
    mutating func passUnwanted(in partitions: [Partition], _ book: LeaseBook) async throws(HandOffError) {
        // Everything is for the transcript group.
        for group in configuration.groups.audio where group != .transcript {
            let sightings = try await handOff.sightings(of: partitions, group: group)
            var leases = groupLeases[group] ?? LapseObserver()
            leases.observe(sightings, at: .now)
            groupLeases[group] = leases
            let lapsed = sightings.filter { !$0.value.isReleased && leases.hasLapsed($0.key, after: lapse, at: .now) }
            let idle = partitions.filter { sightings[$0]?.isReleased ?? true || lapsed[$0] != nil }
            try await forEach(idle) { partition, context throws(HandOffError) in
                guard let token = book.tokens[partition] else { return }
                try await context.passUnwanted(group, in: partition, lapsed[partition], token)
            }
        }
    }

    /// Far longer than a take-over needs: a worker that is there moves its group itself.
    private var lapse: Duration { limits.leaseLapse * 3 }

    /// Trims every stream to what its groups need.
    func trim(_ partitions: [Partition], _ book: LeaseBook) async throws(HandOffError) {
        try await forEach(partitions) { partition, context throws(HandOffError) in
            for stream in [StreamKind.audio, .events, .speakerSample] {
                guard let token = book.tokens[partition] else { return }
                let removed = try await context.handOff.trim(
                    stream, in: partition, token: token, group: .coordinator)
                if removed > 0 { context.metrics.trimmed(stream, Int(removed)) }
            }
        }
    }
}

extension Reconciliation.Context {
    fileprivate func passUnwanted(
        _ group: WorkerGroup, in partition: Partition, _ lapsed: Lease.Sighting?, _ token: FencingToken
    ) async throws(HandOffError) {
        var passed = 0
        for _ in 0..<limits.skipCallsMaximum {
            guard
                case .passed(let count) = try await handOff.skipUnwanted(
                    by: group, in: partition, lapsed: lapsed, token: token)
            else { break }
            passed += count
            if count < limits.readCount { break }
        }
        guard passed > 0 else { return }
        metrics.repaired(.unwantedSkipped)
        logger.info(
            "moved a group that nobody runs past what it does not want",
            metadata: ["group": "\(group)", "partition": "\(partition)", "entries": "\(passed)"])
    }
}
