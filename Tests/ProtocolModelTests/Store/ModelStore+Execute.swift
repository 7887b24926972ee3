extension ModelStore {
    /// Executes a command.
    mutating func execute(_ request: Request) -> Reply {
        switch request {
        case .join(let member):
            join(member)
            return .done
        case .beat(let member):
            beat(member)
            return .done
        case .register(let registration): return register(registration).map(Reply.granted) ?? .refused
        case .append(let session, let first, let count):
            return append(session: session, first: first, count: count) == nil ? .refused : .done
        case .tail(let session, let epoch, _): return .holds(holds(session, epoch: epoch))
        case .last(let session, let epoch, let count):
            return .holds(note(last: count, of: session, epoch: epoch))
        case .end(let session, let epoch, let gateway):
            return .ended(end(session, epoch: epoch, gateway: gateway))
        case .sight(let group): return .sighting(sighting(of: group))
        case .acquire(let group, let owner, let nonce, let lapsed):
            return .leased(acquire(group, owner: owner, nonce: nonce, lapsed: lapsed))
        case .renew(let group, let token): return .renewed(renew(group, token: token))
        case .release(let group, let token):
            release(group, token: token)
            return .done
        default: return executeReading(request)
        }
    }

    private mutating func executeReading(_ request: Request) -> Reply {
        switch request {
        case .read(let group, _, let after, let count):
            let found = entries(after: after, count: count)
            if !rules.positionMovesInCommit, let last = found.last {
                positions[group.rawValue].position = max(positions[group.rawValue].position, last.position)
            }
            return .entries(found)
        case .look(let id, let group, _):
            let known = sessions[id]
            let predecessor = known?.predecessor.flatMap { sessions[$0] }
            return .session(known, predecessor: predecessor?.progress[group.rawValue])
        case .commit(let commit): return .committed(self.commit(commit))
        case .observe:
            return .observed(
                Reply.Observation(
                    beats: members, live: live.map { Reply.LiveSession(session: $0.id, gateway: $0.gateway) },
                    lowestPosition: countedGroups.map { positions[$0.rawValue].position }.min() ?? 0))
        case .trim(let token, let minimum): return .trimmed(trim(token, minimum: minimum))
        case .settle(let id, let times, let isTimedOut, let token):
            return .settled(settle(id, times: times, isTimedOut: isTimedOut, token: token))
        default: preconditionFailure("\(request) is executed elsewhere")
        }
    }
}
