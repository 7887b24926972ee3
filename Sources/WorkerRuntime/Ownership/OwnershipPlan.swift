package import AudioStreams
package import EarshotModel

/// Decides which partitions a process should take, keep and hand over; pure, fed by `PartitionOwnership`.
package struct OwnershipPlan: Sendable {
    private let member: Incarnation
    private let partitions: Int
    private let limits: Limits
    private var members = LapseObserver<String, Int64>()
    private var leases = LapseObserver<Partition, Lease.Sighting>()
    private var cachedMembers: Set<Incarnation> = []
    private var cachedShare: Set<Partition> = []

    /// A plan of one process.
    package init(member: Incarnation, partitions: Int, limits: Limits) {
        self.member = member
        self.partitions = partitions
        self.limits = limits
    }

    /// Takes in the members' beats.
    package mutating func sawMembers(_ beats: [String: Int64], at now: ContinuousClock.Instant) {
        members.observe(beats, at: now)
        let living = beats.keys.filter { !members.hasLapsed($0, after: limits.leaseLapse, at: now) }
        let mature = living.filter { (members.age(of: $0, at: now) ?? .zero) >= limits.memberMaturity }
        // At the first start nobody is mature, and somebody has to begin.
        let counting = Set((mature.isEmpty ? living : mature).compactMap { Incarnation($0) })
        guard counting != cachedMembers else { return }
        cachedMembers = counting
        cachedShare = PartitionMap.share(of: member, among: counting, count: partitions)
    }

    /// The partitions this process should have.
    package var share: Set<Partition> { cachedShare }
    /// The members that count.
    package var countingMembers: Set<Incarnation> { cachedMembers }

    /// Takes in how the wanted leases look, and says which may be taken now.
    package mutating func sawLeases(
        _ sightings: [Partition: Lease.Sighting], wanted: Set<Partition>, at now: ContinuousClock.Instant
    ) -> [Lease.Attempt] {
        leases.observe(sightings, at: now)
        return wanted.sorted().compactMap { partition in
            guard let sighting = sightings[partition], !sighting.isReleased, sighting.owner != member.description
            else { return Lease.Attempt(partition: partition, owner: member) }
            guard leases.hasLapsed(partition, after: limits.leaseLapse, at: now) else { return nil }
            return Lease.Attempt(partition: partition, owner: member, lapsed: sighting)
        }
    }

    /// Notes that Redis could not be asked.
    package mutating func contactLost(at now: ContinuousClock.Instant) {
        members.contactLost(at: now)
        leases.contactLost(at: now)
    }
}
