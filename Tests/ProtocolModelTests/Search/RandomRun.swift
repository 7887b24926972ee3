import TestSupport

/// Random steps from a seed.
struct RandomRun {
    /// How often, of 1,000 draws, a fault is one: a kill, a stop, a broken connection, a failover.
    struct Faults {
        var network = 40
        var processes = 12
        var failovers = 0
    }

    /// A command that the store executed.
    struct Executed {
        let request: Request
        let reply: Reply
        let before: ModelStore
    }

    let configuration: Configuration
    let faults: Faults
    private var random: SeededGenerator
    private(set) var world: World
    private(set) var steps: [Step] = []

    /// A run from nothing.
    ///
    /// - Parameters:
    ///   - configuration: who takes part.
    ///   - faults: how often what fails.
    ///   - seed: repeats a run.
    init(_ configuration: Configuration, faults: Faults, seed: UInt64) {
        self.configuration = configuration
        self.faults = faults
        random = SeededGenerator(seed: seed)
        world = World(configuration)
    }

    /// Takes so many steps, then goes on to the end; `nil` when nothing was wrong.
    mutating func run(steps count: Int) -> Trace? {
        while steps.count < count {
            let before = world.store
            step()
            guard world.store != before else { continue }
            let found = world.check(before)
            if !found.isEmpty { return trace(found, isAtTheEnd: false) }
        }
        let found = world.finish { $0.check($1) }
        return found.isEmpty ? nil : trace(found, isAtTheEnd: true)
    }

    /// Takes one step that is possible; returns the command that the store executed, if it did.
    @discardableResult
    mutating func step() -> Executed? {
        while true {
            let step = draw()
            let before = world.store
            let request = request(in: step)
            guard world.take(step) else { continue }
            steps.append(step)
            guard let request else { return nil }
            var store = before
            return Executed(request: request, reply: store.execute(request), before: before)
        }
    }

    private func request(in step: Step) -> Request? {
        switch step {
        case .execute(let actor): world[channel: actor].requests.first
        case .late(let index) where world.stragglers.indices.contains(index): world.stragglers[index].first
        default: nil
        }
    }

    private func trace(_ found: [String], isAtTheEnd: Bool) -> Trace {
        Trace(configuration: configuration, steps: steps, isAtTheEnd: isAtTheEnd, violations: found)
    }

    // MARK: Drawing

    private mutating func index(_ count: Int) -> Int { Int.random(in: 0..<max(1, count), using: &random) }
    private mutating func actor() -> Actor { world.actors[index(world.actors.count)] }

    private mutating func draw() -> Step {
        var number = index(1_000)
        for (weight, kind) in [(faults.network, 0), (faults.processes, 1), (faults.failovers, 2)] {
            if number < weight {
                switch kind {
                case 0: return networkFault()
                case 1: return processFault()
                default: return random.chance(0.5) ? .snapshot : .failover
                }
            }
            number -= weight
        }
        switch index(100) {
        case 0..<50: return delivery()
        case 50..<65: return deviceStep()
        case 65..<75: return gatewayStep()
        case 75..<92: return workerStep()
        default: return coordinatorStep()
        }
    }

    /// A message that somebody waits for, if there is one.
    private mutating func delivery() -> Step {
        let waiting = world.actors.filter { !world[channel: $0].isEmpty }
        guard !waiting.isEmpty else { return deviceStep() }
        let actor = waiting[index(waiting.count)]
        if world[channel: actor].answers.isEmpty { return .execute(actor) }
        return world[channel: actor].requests.isEmpty || random.chance(0.6) ? .deliver(actor) : .execute(actor)
    }

    private mutating func networkFault() -> Step {
        switch index(10) {
        case 0..<4: .cut(actor(), keeps: random.chance(0.8))
        case 4..<5: .unlink(index(configuration.devices))
        case 5..<9: .late(index(world.stragglers.count))
        default: world.isStalled ? .stall(false) : random.chance(0.2) ? .stall(true) : .drop(index(3))
        }
    }

    private mutating func processFault() -> Step {
        if let stopped = world.actors.first(where: world.stopped.contains), random.chance(0.4) { return .go(stopped) }
        let victim = actor()
        if world.isDead(victim) { return .start(victim) }
        return random.chance(0.5) ? .kill(victim) : .stop(victim)
    }

    private mutating func deviceStep() -> Step {
        let device = index(configuration.devices)
        guard world.devices[device].link != nil else {
            return .connect(device: device, gateway: index(configuration.gateways))
        }
        switch index(10) {
        case 0..<4: return .send(device)
        case 4..<8: return .receive(device)
        case 8: return .hear(device)
        default: return random.chance(0.2) ? .bye(device) : .hear(device)
        }
    }

    private mutating func gatewayStep() -> Step {
        let gateway = index(configuration.gateways)
        let sessions = world.gateways[gateway].sessions.keys.sorted()
        guard !sessions.isEmpty, random.chance(0.8) else { return .beat(gateway) }
        let session = sessions[index(sessions.count)]
        if random.chance(0.1) { return .check(gateway: gateway, session: session) }
        let isDetached =
            world.gateways[gateway].sessions[session].map { !world.isLinked($0.device, to: gateway, session) } ?? false
        return random.chance(isDetached ? 0.3 : 0.03)
            ? .end(gateway: gateway, session: session) : .flush(gateway: gateway, session: session)
    }

    private mutating func workerStep() -> Step {
        let worker = index(world.workers.count)
        guard world.workers[worker].lease.token != nil else { return .seek(.worker(worker)) }
        if let waiting = world.workers[worker].waiting.first, random.chance(0.5) {
            return .look(worker: worker, session: waiting.session)
        }
        switch index(10) {
        case 0..<3: return .read(worker, count: 1 + index(4))
        case 3..<7:
            let lanes = world.workers[worker].lanes.keys.sorted()
            return .commit(worker, only: lanes.isEmpty || random.chance(0.4) ? nil : lanes[index(lanes.count)])
        case 7: return .renew(.worker(worker))
        default: return random.chance(0.2) ? .release(.worker(worker)) : .commit(worker, only: nil)
        }
    }

    private mutating func coordinatorStep() -> Step {
        let coordinator = index(configuration.coordinators)
        let actor = Actor.coordinator(coordinator)
        guard world.coordinators[coordinator].lease.token != nil else {
            return random.chance(0.5) ? .seek(actor) : .observe(coordinator)
        }
        let conversations = world.store.conversations.keys.sorted()
        switch index(6) {
        case 0: return .observe(coordinator)
        case 1: return .trim(coordinator)
        case 2: return .renew(actor)
        case 3: return .record(1 + index(5))
        default:
            guard !conversations.isEmpty else { return .observe(coordinator) }
            return .settle(
                coordinator, conversation: conversations[index(conversations.count)], isTimedOut: random.chance(0.5))
        }
    }
}
