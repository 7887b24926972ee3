// The end of a run: the faults are over, everybody goes on until nothing is left to do.
extension World {
    /// Lets everything arrive and everybody work in turn, and says what was violated or never finished.
    ///
    /// - Parameter check: told of each step that was taken, with the store before it.
    /// - Returns: what the check said first, or what is unfinished after the last round.
    mutating func finish(check: (World, ModelStore) -> [String]) -> [String] {
        var left = unfinished()
        for round in 0..<40 where round == 0 || !left.isEmpty {
            for step in round == 0 ? healing() : [] {
                let found = takeChecked(step, check)
                if !found.isEmpty { return found }
            }
            let found = turn(check)
            if !found.isEmpty { return found }
            left = unfinished()
        }
        return left
    }

    private mutating func takeChecked(_ step: Step, _ check: (World, ModelStore) -> [String]) -> [String] {
        let before = store
        guard take(step), store != before else { return [] }
        return check(self, before)
    }

    /// Everything late arrives; what is stopped goes on; what is dead stays so unless nobody else can do its work.
    private func healing() -> [Step] {
        var steps: [Step] = [.stall(false)]
        for straggler in stragglers { steps += straggler.map { _ in .late(0) } }
        steps += actors.filter(stopped.contains).map(Step.go)
        if gateways.allSatisfy(\.isDead) { steps.append(.start(.gateway(0))) }
        if coordinators.allSatisfy(\.isDead) { steps.append(.start(.coordinator(0))) }
        for group in configuration.groups {
            let members = workers.indices.filter { workers[$0].lease.group == group }
            if let first = members.first, members.allSatisfy({ workers[$0].isDead }) {
                steps.append(.start(.worker(first)))
            }
        }
        return steps
    }

    /// Everybody's turn, once.
    private mutating func turn(_ check: (World, ModelStore) -> [String]) -> [String] {
        let alive = gateways.indices.filter { !gateways[$0].isDead }
        for index in devices.indices {
            for step in deviceTurn(index, through: alive[index % alive.count]) {
                let found = takeChecked(step, check)
                if !found.isEmpty { return found }
            }
        }
        for actor in actors where !isDead(actor) {
            for step in decisions(of: actor) {
                let found = takeChecked(step, check)
                if !found.isEmpty { return found }
            }
            let found = pump(actor, check)
            if !found.isEmpty { return found }
        }
        return takeChecked(.record(.max / 2), check)
    }

    private func deviceTurn(_ index: Int, through gateway: Int) -> [Step] {
        var steps: [Step] = [.hear(index), .hear(index), .connect(device: index, gateway: gateway), .hear(index)]
        for _ in 0..<devices[index].total { steps += [.send(index), .receive(index)] }
        return steps + [.hear(index), .hear(index), .bye(index), .receive(index)]
    }

    private func decisions(of actor: Actor) -> [Step] {
        switch actor {
        case .gateway(let index):
            let sessions = gateways[index].sessions.keys.sorted()
            let detached = sessions.filter { id in
                gateways[index].sessions[id].map { !isLinked($0.device, to: index, id) } ?? false
            }
            return [.beat(index)] + sessions.map { .flush(gateway: index, session: $0) }
                + detached.map { .end(gateway: index, session: $0) }
        case .worker(let index):
            let waiting = Set(workers[index].waiting.map(\.session)).sorted()
            return [.seek(actor), .renew(actor), .read(index, count: 100)]
                + waiting.map { .look(worker: index, session: $0) } + [.commit(index, only: nil)]
        case .coordinator(let index):
            let conversations = store.conversations.keys.sorted().map {
                Step.settle(index, conversation: $0, isTimedOut: true)
            }
            return [.seek(actor), .renew(actor), .observe(index)] + conversations + [.trim(index)]
        }
    }

    /// Executes and delivers until a process waits for nothing.
    private mutating func pump(_ actor: Actor, _ check: (World, ModelStore) -> [String]) -> [String] {
        for _ in 0..<200 where !self[channel: actor].isEmpty {
            for step in [Step.execute(actor), .deliver(actor)] {
                let found = takeChecked(step, check)
                if !found.isEmpty { return found }
            }
        }
        return []
    }
}
