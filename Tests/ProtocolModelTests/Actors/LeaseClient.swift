/// How a process gets and keeps one lease.
struct LeaseClient: Hashable, Sendable {
    let group: Group
    var token: Token?
    /// What it saw of another's lease, in unbroken contact since.
    var seen: StoredLease.Sighting?

    /// What to ask for after a look at the lease: nothing while it is another's that has not lapsed.
    mutating func saw(_ lease: StoredLease?, owner: ProcessStart, nonce: Int) -> Request? {
        guard token == nil else { return nil }
        guard let lease, !lease.isReleased, lease.owner != owner else {
            return .acquire(group, owner: owner, nonce: nonce, lapsed: nil)
        }
        let sighting = StoredLease.Sighting(token: lease.token, beat: lease.beat)
        defer { seen = sighting }
        return seen == sighting ? .acquire(group, owner: owner, nonce: nonce, lapsed: sighting) : nil
    }

    mutating func lose() {
        token = nil
        seen = nil
    }
}
