// How leases are looked for, kept and given back.
extension World {
    mutating func lease(_ step: Step) -> Bool {
        switch step {
        case .seek(let actor):
            guard isUp(actor), let client = leaseClient(of: actor), client.token == nil else { return false }
            self[channel: actor].requests.append(.sight(client.group))
        case .renew(let actor):
            guard isUp(actor), let client = leaseClient(of: actor), let token = client.token else { return false }
            self[channel: actor].requests.append(.renew(client.group, token: token))
        case .release(let actor): return release(actor)
        default: return false
        }
        return true
    }

    func leaseClient(of actor: Actor) -> LeaseClient? {
        switch actor {
        case .gateway: nil
        case .worker(let index): workers[index].lease
        case .coordinator(let index): coordinators[index].lease
        }
    }

    /// A partition is handed over: behind the last commit, on the same connection (M2).
    private mutating func release(_ actor: Actor) -> Bool {
        guard isUp(actor), let client = leaseClient(of: actor), let token = client.token else { return false }
        switch actor {
        case .worker(let index):
            guard workers[index].inDoubt == nil else { return false }
            if let commit = workers[index].draw(only: nil) { workers[index].channel.requests.append(.commit(commit)) }
            workers[index].channel.requests.append(.release(client.group, token: token))
            workers[index].abandon()
        case .coordinator(let index):
            coordinators[index].channel.requests.append(.release(client.group, token: token))
            coordinators[index].lease.lose()
        case .gateway: return false
        }
        return true
    }

    /// A reply about a lease; true when it was one.
    mutating func answeredLease(_ answer: Channel.Answer, _ actor: Actor) -> Bool {
        switch answer.reply {
        case .sighting(let lease):
            let nonce = draw()
            let request: Request?
            switch actor {
            case .worker(let index):
                request = workers[index].lease.saw(lease, owner: workers[index].start, nonce: nonce)
            case .coordinator(let index):
                request = coordinators[index].lease.saw(lease, owner: coordinators[index].start, nonce: nonce)
            case .gateway: request = nil
            }
            if let request { self[channel: actor].requests.append(request) }
        case .leased(let grant):
            guard let grant else { return true }
            switch actor {
            case .worker(let index): workers[index].begin(grant)
            case .coordinator(let index): coordinators[index].lease.token = grant.token
            case .gateway: break
            }
        case .renewed(let isOurs):
            guard !isOurs, case .renew(_, let token) = answer.request, leaseClient(of: actor)?.token == token else {
                return true
            }
            switch actor {
            case .worker(let index): workers[index].abandon()
            case .coordinator(let index): coordinators[index].lease.lose()
            case .gateway: break
            }
        default: return false
        }
        return true
    }
}
