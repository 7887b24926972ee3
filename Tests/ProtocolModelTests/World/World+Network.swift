// Connections and what happens to them.
extension World {
    mutating func network(_ step: Step) -> Bool {
        switch step {
        case .execute(let actor): return execute(actor)
        case .deliver(let actor):
            guard isUp(actor), !self[channel: actor].answers.isEmpty else { return false }
            deliver(self[channel: actor].answers.removeFirst(), to: actor)
        case .cut(let actor, let keeps):
            guard !isDead(actor), !self[channel: actor].isEmpty else { return false }
            leaveBehind(self[channel: actor].requests, keeps: keeps)
            reconnect(actor)
        case .late(let index):
            guard !isStalled, stragglers.indices.contains(index) else { return false }
            let request = stragglers[index].removeFirst()
            if stragglers[index].isEmpty { stragglers.remove(at: index) }
            _ = run(request)
        case .drop(let index):
            guard stragglers.indices.contains(index) else { return false }
            stragglers.remove(at: index)
        case .stall(let isStalled):
            guard self.isStalled != isStalled else { return false }
            self.isStalled = isStalled
        default: return false
        }
        return true
    }

    private mutating func execute(_ actor: Actor) -> Bool {
        guard !isStalled, !self[channel: actor].requests.isEmpty else { return false }
        let request = self[channel: actor].requests.removeFirst()
        let reply = run(request)
        self[channel: actor].answers.append(Channel.Answer(request: request, reply: reply))
        return true
    }

    private mutating func run(_ request: Request) -> Reply {
        let reply = store.execute(request)
        if case .committed(let outcome) = reply, outcome == .fenced || outcome == .outOfOrder { refusedCommits += 1 }
        return reply
    }

    mutating func leaveBehind(_ requests: [Request], keeps: Bool) {
        if keeps, !requests.isEmpty { stragglers.append(requests) }
    }

    /// A process gets another connection and asks again for what it needs; if the server is another one, what it knew
    /// is void (C4).
    mutating func reconnect(_ actor: Actor) {
        self[channel: actor] = Channel(identity: store.identity)
        switch actor {
        case .gateway(let index): gateways[index].channel.requests = gateways[index].unanswered
        case .worker(let index): workers[index].reconnect()
        case .coordinator(let index): coordinators[index].reconnect(rules)
        }
        if rules.voidsBeforeSending { _ = notice(actor) }
    }

    /// A process looks at which server it is connected to; true when it had to give up what it knew.
    mutating func notice(_ actor: Actor) -> Bool {
        guard rules.voidsOnAnotherServer else { return false }
        switch actor {
        case .gateway(let index):
            guard gateways[index].identity != gateways[index].channel.identity else { return false }
            gateways[index].identity = gateways[index].channel.identity
            void(gateway: index)
        case .worker(let index):
            guard workers[index].identity != workers[index].channel.identity else { return false }
            workers[index].identity = workers[index].channel.identity
            workers[index].abandon()
            workers[index].channel.requests = []
        case .coordinator(let index):
            guard coordinators[index].identity != coordinators[index].channel.identity else { return false }
            coordinators[index].identity = coordinators[index].channel.identity
            coordinators[index].lease.lose()
            coordinators[index].channel.requests = []
            coordinators[index].beats = [:]
        }
        return true
    }

    /// A gateway gives its sessions up; devices resume.
    ///
    /// What the registry may still call its own is ended as an older incarnation's (H11).
    private mutating func void(gateway index: Int) {
        cutLinks(of: index)
        gateways[index].sessions = [:]
        gateways[index].unanswered = []
        gateways[index].channel.requests = []
        if rules.renewsIncarnation, rules.drawsIncarnations {
            gateways[index].start = ProcessStart(name: gateways[index].start.name, number: draw())
        }
        gateways[index].send(.join(gateways[index].start))
    }

    mutating func cutLinks(of gateway: Int) {
        for device in devices.indices where devices[device].link?.gateway == gateway { devices[device].unlink() }
    }
}
