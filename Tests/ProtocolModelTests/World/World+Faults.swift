// What happens to processes and to the store.
extension World {
    mutating func fault(_ step: Step) -> Bool {
        switch step {
        case .stop(let actor):
            guard isUp(actor) else { return false }
            stopped.insert(actor)
        case .go(let actor):
            guard stopped.remove(actor) != nil else { return false }
        case .kill(let actor): return kill(actor)
        case .start(let actor): return start(actor)
        case .snapshot: replica = store
        case .failover: return failover()
        default: return false
        }
        return true
    }

    private mutating func kill(_ actor: Actor) -> Bool {
        guard !isDead(actor) else { return false }
        leaveBehind(self[channel: actor].requests, keeps: true)
        stopped.remove(actor)
        switch actor {
        case .gateway(let index):
            cutLinks(of: index)
            gateways[index] = GatewayModel(name: gateways[index].start.name, number: gateways[index].start.number)
            gateways[index].isDead = true
        case .worker(let index):
            let old = workers[index]
            workers[index] = WorkerModel(name: old.start.name, number: old.start.number, group: old.lease.group)
            workers[index].isDead = true
        case .coordinator(let index):
            let old = coordinators[index].start
            coordinators[index] = CoordinatorModel(name: old.name, number: old.number)
            coordinators[index].isDead = true
        }
        return true
    }

    private mutating func start(_ actor: Actor) -> Bool {
        guard isDead(actor) else { return false }
        let number = rules.drawsIncarnations ? draw() : 0
        switch actor {
        case .gateway(let index):
            gateways[index] = GatewayModel(name: gateways[index].start.name, number: number)
            gateways[index].identity = store.identity
            gateways[index].channel.identity = store.identity
            gateways[index].send(.join(gateways[index].start))
        case .worker(let index):
            let old = workers[index]
            workers[index] = WorkerModel(name: old.start.name, number: number, group: old.lease.group)
            workers[index].identity = store.identity
            workers[index].channel.identity = store.identity
        case .coordinator(let index):
            coordinators[index] = CoordinatorModel(name: coordinators[index].start.name, number: number)
            coordinators[index].identity = store.identity
            coordinators[index].channel.identity = store.identity
        }
        return true
    }

    /// The primary dies with everything on its connections; the replica, which may have missed the last writes, takes
    /// over (C4).
    ///
    /// What it takes back of acknowledged frames is noted: only that may be lost.
    private mutating func failover() -> Bool {
        guard var promoted = replica else { return false }
        promoted.identity = store.identity + 1
        if !configuration.repeatsPositions { promoted.lastPosition = store.lastPosition }
        store = promoted
        replica = nil
        stragglers = []
        for device in devices.indices {
            for group in store.enabled {
                let missing = store.reach(of: device, group).missing(below: devices[device].acknowledged)
                devices[device].excused.formUnion(missing)
            }
        }
        for actor in actors where !isDead(actor) { reconnect(actor) }
        return true
    }
}
