package import AudioStreams
package import EarshotModel
package import Logging

/// One process's part in sharing the partitions of a group: beats, takes leases, renews them, and notices losses.
///
/// A value that one loop owns; each `tick` is one round of contact and says what changed.
package struct PartitionOwnership {
    private let group: WorkerGroup
    private let stream: StreamKind?
    private let member: Incarnation
    private let handOff: any HandOff
    private let logger: Logger
    private var plan: OwnershipPlan
    private var serverIdentity: String?
    /// The leases this process has.
    package private(set) var tokens: [Partition: FencingToken] = [:]
    /// Those it is handing over; they are renewed until they are given back.
    package private(set) var leaving: Set<Partition> = []
    /// Losses found and not told yet: a round may fail behind the step that found them.
    private var untold: Set<Partition> = []

    /// What a tick came to.
    package struct Changes: Sendable {
        /// Leases that were taken.
        package var granted: [Partition: Lease.Grant] = [:]
        /// Leases that somebody else has now.
        package var lost: Set<Partition> = []
        /// Partitions to hand over.
        package var surplus: Set<Partition> = []
        /// Whether Redis answered.
        package var hadContact = true
    }

    /// Starts with nothing.
    package init(
        group: WorkerGroup, stream: StreamKind?, member: Incarnation, partitions: Int, handOff: any HandOff,
        limits: Limits, logger: Logger
    ) {
        self.group = group
        self.stream = stream
        self.member = member
        self.handOff = handOff
        self.logger = logger
        self.plan = OwnershipPlan(member: member, partitions: partitions, limits: limits)
    }

    /// One round: beat, renew, take what may be taken.
    ///
    /// `settled` names the partitions that are not replayed.
    package mutating func tick(settled: Set<Partition> = []) async -> Changes {
        do throws(HandOffError) {
            return try await contact(settled)
        } catch {
            plan.contactLost(at: .now)
            logger.debug("no contact with the hand-off", metadata: ["error": "\(error)"])
            defer { untold = [] }
            return Changes(lost: untold, hadContact: false)
        }
    }

    private mutating func contact(_ settled: Set<Partition>) async throws(HandOffError) -> Changes {
        var changes = Changes()
        let beats = try await handOff.beat(kind: group.name, as: member)
        voidOnAnotherServer()
        plan.sawMembers(beats, at: .now)
        let kept = try await handOff.renew(tokens, settled: settled, group: group)
        for partition in tokens.keys where !kept.contains(partition) {
            untold.insert(partition)
            forget(partition)
        }
        changes.surplus = Set(tokens.keys).subtracting(plan.share).subtracting(leaving)
        leaving.formUnion(changes.surplus)
        let wanted = plan.share.subtracting(tokens.keys)
        let sightings = wanted.isEmpty ? [:] : try await handOff.sightings(of: wanted.sorted(), group: group)
        let attempts = plan.sawLeases(sightings, wanted: wanted, at: .now)
        if !attempts.isEmpty {
            for (partition, outcome) in try await handOff.acquire(attempts, group: group, stream: stream) {
                guard case .granted(let grant) = outcome else { continue }
                tokens[partition] = grant.token
                changes.granted[partition] = grant
            }
        }
        changes.lost = untold
        untold = []
        return changes
    }

    /// Another server may have forgotten our last writes: what we hold there is read again (protocol.md C4).
    private mutating func voidOnAnotherServer() {
        let identity = handOff.serverIdentity
        defer { serverIdentity = identity }
        guard let known = serverIdentity, known != identity else { return }
        logger.notice("another Redis answers; leases and cursors are read again")
        untold.formUnion(tokens.keys)
        tokens = [:]
        leaving = []
    }

    /// Drops a lease that was given back or lost.
    package mutating func forget(_ partition: Partition) {
        tokens[partition] = nil
        leaving.remove(partition)
    }
}
