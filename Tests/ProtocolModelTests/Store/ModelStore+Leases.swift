// Leases and commits.
extension ModelStore {
    struct LeaseGrant: Hashable, Sendable {
        let token: Token
        let position: ModelCommit.Position
    }

    func sighting(of group: Group) -> StoredLease? { leases[group.rawValue] }

    /// Takes a lease that is free, released, the caller's own, or unchanged since it was seen; `nil` when it is held.
    mutating func acquire(
        _ group: Group, owner: ProcessStart, nonce: Int, lapsed: StoredLease.Sighting?
    ) -> LeaseGrant? {
        if let old = leases[group.rawValue], !old.isReleased, old.owner != owner {
            guard let lapsed, old.token == lapsed.token, old.beat == lapsed.beat else { return nil }
        }
        let counter = (leases[group.rawValue]?.token.counter ?? 0) + 1
        let token = Token(counter: counter, nonce: rules.drawsNonces ? nonce : 0)
        leases[group.rawValue] = StoredLease(token: token, owner: owner)
        return LeaseGrant(token: token, position: positions[group.rawValue])
    }

    mutating func renew(_ group: Group, token: Token) -> Bool {
        guard leases[group.rawValue]?.token == token else { return false }
        guard !isFull || rules.freesWhenFull else { return true }
        leases[group.rawValue]?.beat += 1
        return true
    }

    mutating func release(_ group: Group, token: Token) {
        guard leases[group.rawValue]?.token == token else { return }
        leases[group.rawValue]?.isReleased = true
    }

    mutating func commit(_ commit: ModelCommit) -> ModelCommit.Outcome {
        let lease = leases[commit.group.rawValue]
        if rules.fencesCommits {
            guard let lease, lease.token == commit.token else { return .fenced }
            if rules.numbersCommits {
                if commit.number <= lease.number { return .repeated }
                guard commit.number == lease.number + 1 else { return .outOfOrder }
            }
        }
        guard !isFull || rules.freesWhenFull else { return .full }
        for lane in commit.lanes { apply(lane, of: commit.group) }
        if rules.positionMovesInCommit { positions[commit.group.rawValue] = commit.position }
        leases[commit.group.rawValue]?.number = commit.number
        return .applied
    }

    private mutating func apply(_ lane: ModelCommit.Lane, of group: Group) {
        events += lane.outputs.map(StoreEvent.output)
        guard var session = sessions[lane.session] else { return }
        var progress = lane.progress
        progress.isDone = progress.isDone || session.progress[group.rawValue].isDone
        session.progress[group.rawValue] = progress
        session.isCompleted = session.isCompleted || countedGroups.allSatisfy { session.progress[$0.rawValue].isDone }
        sessions[lane.session] = session
    }
}
