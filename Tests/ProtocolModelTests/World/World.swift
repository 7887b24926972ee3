/// The whole system: the store, its snapshot, every process, every message on its way.
struct World: Hashable, Sendable {
    let configuration: Configuration
    var store: ModelStore
    /// What the replica has.
    var replica: ModelStore?
    var devices: [DeviceModel]
    var gateways: [GatewayModel]
    var workers: [WorkerModel]
    var coordinators: [CoordinatorModel]
    /// Commands left on broken connections.
    var stragglers: [[Request]] = []
    var stopped: Set<Actor> = []
    var isStalled = false
    /// Numbers given out so far: sessions, starts, nonces.
    var draws = 0
    /// Commits that came too late and were refused.
    var refusedCommits = 0

    init(_ configuration: Configuration) {
        self.configuration = configuration
        store = ModelStore(
            rules: configuration.rules, capacity: configuration.capacity, enabled: configuration.enabled)
        devices = (0..<configuration.devices).map { _ in
            DeviceModel(total: configuration.frames, resumes: configuration.resumes)
        }
        gateways = (0..<configuration.gateways).map { GatewayModel(name: $0, number: 0) }
        workers = configuration.groups.flatMap { group in
            (0..<configuration.workersPerGroup).map {
                WorkerModel(name: 100 + 10 * group.rawValue + $0, number: 0, group: group)
            }
        }
        coordinators = (0..<configuration.coordinators).map { CoordinatorModel(name: 200 + $0, number: 0) }
        for gateway in gateways { store.join(gateway.start) }
    }

    var rules: Rules { configuration.rules }
    var actors: [Actor] {
        gateways.indices.map(Actor.gateway) + workers.indices.map(Actor.worker)
            + coordinators.indices.map(Actor.coordinator)
    }

    mutating func draw() -> Int {
        draws += 1
        return draws
    }

    func isUp(_ actor: Actor) -> Bool { !stopped.contains(actor) && !isDead(actor) }

    func isDead(_ actor: Actor) -> Bool {
        switch actor {
        case .gateway(let index): gateways[index].isDead
        case .worker(let index): workers[index].isDead
        case .coordinator(let index): coordinators[index].isDead
        }
    }

    subscript(channel actor: Actor) -> Channel {
        get {
            switch actor {
            case .gateway(let index): gateways[index].channel
            case .worker(let index): workers[index].channel
            case .coordinator(let index): coordinators[index].channel
            }
        }
        set {
            switch actor {
            case .gateway(let index): gateways[index].channel = newValue
            case .worker(let index): workers[index].channel = newValue
            case .coordinator(let index): coordinators[index].channel = newValue
            }
        }
    }

    /// Takes a step, if it is possible now.
    ///
    /// - Returns: false when it is not; then nothing has happened.
    mutating func take(_ step: Step) -> Bool {
        switch step {
        case .execute, .deliver, .cut, .late, .drop, .stall: network(step)
        case .stop, .go, .kill, .start, .snapshot, .failover: fault(step)
        case .connect, .send, .bye, .hear, .unlink: device(step)
        case .receive, .flush, .check, .end, .beat: gateway(step)
        case .seek, .renew, .release: lease(step)
        case .read, .look, .commit: worker(step)
        case .observe, .trim, .settle: coordinator(step)
        case .record(let count): record(count)
        }
    }

    private mutating func record(_ count: Int) -> Bool {
        guard store.recorded < store.events.count else { return false }
        store.record(count)
        return true
    }
}
