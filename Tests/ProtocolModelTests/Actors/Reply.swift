/// What the store answered.
enum Reply: Hashable, Sendable {
    case done
    case refused
    case granted(Registration.Grant)
    case holds(Bool)
    case ended(ModelStore.EndOutcome)
    case sighting(StoredLease?)
    case leased(ModelStore.LeaseGrant?)
    case renewed(Bool)
    case entries([ModelStore.Entry])
    /// A session, and how far the group is with the one that it continues.
    case session(StoredSession?, predecessor: StoredSession.Progress?)
    case committed(ModelCommit.Outcome)
    case observed(Observation)
    case trimmed(Int?)
    case settled(Settlement)

    /// What a coordinator looks at.
    struct Observation: Hashable, Sendable {
        let beats: [ProcessStart: Int]
        let live: [LiveSession]
        let lowestPosition: Int
    }

    struct LiveSession: Hashable, Sendable {
        let session: Int
        let gateway: ProcessStart
    }
}
