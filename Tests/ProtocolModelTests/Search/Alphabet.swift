/// The steps that the exhaustive searches try, each bounded so that the space is finite.
enum Alphabet {
    /// Everything that the connections of some processes can do; one broken connection at a time is remembered.
    static func network(_ actors: [Actor], in world: World) -> [Step] {
        var steps = world.stragglers.indices.map(Step.late)
        for actor in actors {
            steps += [.execute(actor), .deliver(actor), .cut(actor, keeps: false)]
            if world.stragglers.isEmpty { steps.append(.cut(actor, keeps: true)) }
        }
        return steps
    }

    /// Two workers, with so many looks for the lease in all.
    @Sendable static func takeOver(_ world: World) -> [Step] {
        var steps = network([.worker(0), .worker(1)], in: world)
        for index in 0..<2 {
            let worker = world.workers[index]
            guard worker.channel.isEmpty else { continue }
            if worker.lease.token == nil {
                if world.draws < 7 { steps.append(.seek(.worker(index))) }
                continue
            }
            if worker.cursor < world.store.lastPosition { steps.append(.read(index, count: 2)) }
            steps += Set(worker.waiting.map(\.session)).sorted().map { .look(worker: index, session: $0) }
            steps += [.commit(index, only: nil), .release(.worker(index))]
        }
        return steps
    }

    /// A device and its gateway, and a worker that has its lease.
    @Sendable static func appending(_ world: World) -> [Step] {
        var steps = network([.gateway(0)], in: world)
        steps += [.send(0), .receive(0), .hear(0)]
        for session in world.gateways[0].sessions.keys.sorted() {
            steps.append(.flush(gateway: 0, session: session))
            if world.devices[0].link == nil { steps.append(.end(gateway: 0, session: session)) }
        }
        return steps
    }

    /// A device that goes back and forth between two gateways.
    @Sendable static func resuming(_ world: World) -> [Step] {
        var steps = network([.gateway(0), .gateway(1)], in: world)
        steps += [.send(0), .receive(0), .hear(0)]
        if world.draws < 4 { steps += [.unlink(0), .connect(device: 0, gateway: 0), .connect(device: 0, gateway: 1)] }
        for gateway in 0..<2 {
            for session in world.gateways[gateway].sessions.keys.sorted() {
                steps.append(.flush(gateway: gateway, session: session))
            }
        }
        return steps
    }
}
