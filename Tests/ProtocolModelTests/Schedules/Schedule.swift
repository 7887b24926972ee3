import Testing

/// A schedule written by hand: each step must be possible, and every check is made behind it.
struct Schedule {
    private(set) var world: World
    /// What was wrong so far; schedules of broken variants expect something here.
    private(set) var violations: [String] = []

    init(_ configuration: Configuration) { world = World(configuration) }

    var store: ModelStore { world.store }

    /// Takes steps in order.
    mutating func take(_ steps: Step..., at location: SourceLocation = #_sourceLocation) {
        for step in steps { attempt(step, at: location) }
    }

    private mutating func attempt(_ step: Step, at location: SourceLocation) {
        let before = world.store
        if !world.take(step) { Issue.record("\(step) is not possible here", sourceLocation: location) }
        violations += world.check(before)
    }

    /// Executes and delivers until a process waits for nothing.
    mutating func pump(_ actors: Actor..., at location: SourceLocation = #_sourceLocation) {
        for actor in actors {
            while !world[channel: actor].isEmpty {
                attempt(world[channel: actor].answers.isEmpty ? .execute(actor) : .deliver(actor), at: location)
            }
        }
    }

    /// A device connects and is welcomed; returns its session.
    @discardableResult
    mutating func open(_ device: Int, at gateway: Int, at location: SourceLocation = #_sourceLocation) -> Int {
        take(.connect(device: device, gateway: gateway), at: location)
        pump(.gateway(gateway), at: location)
        hearAll(device, at: location)
        guard let session = world.devices[device].link?.session else {
            Issue.record("device \(device) has no session", sourceLocation: location)
            return -1
        }
        return session
    }

    /// A device sends frames and its gateway receives them; nothing is appended yet.
    mutating func say(_ device: Int, _ count: Int, at location: SourceLocation = #_sourceLocation) {
        for _ in 0..<count { take(.send(device), .receive(device), at: location) }
    }

    /// A device sends frames, and they are appended and acknowledged.
    mutating func deliver(_ device: Int, _ count: Int, at location: SourceLocation = #_sourceLocation) {
        say(device, count, at: location)
        guard let link = world.devices[device].link else { return }
        take(.flush(gateway: link.gateway, session: link.session), at: location)
        pump(.gateway(link.gateway), at: location)
        hearAll(device, at: location)
    }

    mutating func hearAll(_ device: Int, at location: SourceLocation = #_sourceLocation) {
        while world.devices[device].link?.down.isEmpty == false { take(.hear(device), at: location) }
    }

    /// A process takes its lease, from another that has lapsed if need be.
    mutating func own(_ actor: Actor, at location: SourceLocation = #_sourceLocation) {
        for _ in 0..<3 where world.leaseClient(of: actor)?.token == nil {
            take(.seek(actor), at: location)
            pump(actor, at: location)
        }
        if world.leaseClient(of: actor)?.token == nil {
            Issue.record("\(actor) did not get its lease", sourceLocation: location)
        }
    }

    /// A worker reads and absorbs what there is.
    mutating func absorb(_ worker: Int, at location: SourceLocation = #_sourceLocation) {
        take(.read(worker, count: 100), at: location)
        pump(.worker(worker), at: location)
        for session in Set(world.workers[worker].waiting.map(\.session)).sorted() {
            take(.look(worker: worker, session: session), at: location)
            pump(.worker(worker), at: location)
        }
    }

    /// A worker reads, absorbs and commits what there is.
    mutating func work(_ worker: Int, at location: SourceLocation = #_sourceLocation) {
        absorb(worker, at: location)
        take(.commit(worker, only: nil), at: location)
        pump(.worker(worker), at: location)
    }

    /// A coordinator looks so often that it has to find whoever is dead.
    mutating func watch(_ coordinator: Int, at location: SourceLocation = #_sourceLocation) {
        for _ in 0...CoordinatorModel.lapse {
            take(.observe(coordinator), at: location)
            pump(.coordinator(coordinator), at: location)
        }
    }

    /// Lets everybody work to the end, and returns all that was wrong.
    mutating func finish() -> [String] {
        violations + world.finish { $0.check($1) }
    }

    /// The frames that a group put out of a device, without those it reported as lost.
    func frames(of device: Int, _ group: Group = .transcript) -> [Int] {
        store.events.flatMap { event -> [Int] in
            guard case .output(let output) = event, output.group == group, !output.isLost,
                store.sessions[output.session]?.device == device
            else { return [] }
            return Array(output.from..<output.to)
        }
    }

    /// The frames that a group reported as lost.
    func lost(of device: Int, _ group: Group = .transcript) -> [Int] {
        store.events.flatMap { event -> [Int] in
            guard case .output(let output) = event, output.group == group, output.isLost,
                store.sessions[output.session]?.device == device
            else { return [] }
            return Array(output.from..<output.to)
        }
    }
}
