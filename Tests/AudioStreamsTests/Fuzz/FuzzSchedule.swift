import AudioStreams
import EarshotModel
import NIOCore
import TestSupport

/// One random schedule over the operations of a hand-off, and the check of what came of it (protocol.md 0.4).
///
/// Two gateways and two workers act beside each other. Every operation may lose its reply, run late or never run;
/// gateways go on after the coordinator has ended their sessions, workers after another has taken their lease.
struct FuzzSchedule {
    /// A command on its way: executed late, when its sender expects no answer any more.
    private typealias Straggler = @Sendable () async throws -> Void

    let handOff: any HandOff
    let partition: Partition
    /// Whether gateways check the tail before they acknowledge; switched off to prove that the check can fail.
    let checksTail: Bool
    private let group = WorkerGroup.transcript
    private var random: SeededGenerator
    private var gateways: [FuzzGateway]
    private var workers: [FuzzWorker]
    /// Connections that broke with commands on them; each is executed in order, among everything else.
    private var broken: [[Straggler]] = []
    private var coordinator: Lease.Grant?
    /// The sessions of each device, in the order of its connections.
    private var chains: [[SessionID]] = []
    /// Commits that came too late and were refused.
    private(set) var refused = 0
    /// Sessions that took another over.
    private(set) var resumed = 0

    init(handOff: any HandOff, partition: Partition, seed: UInt64, checksTail: Bool) {
        self.handOff = handOff
        self.partition = partition
        self.checksTail = checksTail
        random = SeededGenerator(seed: seed)
        gateways = [FuzzGateway(), FuzzGateway()]
        workers = ["worker-0", "worker-1"].map { FuzzWorker(member: Incarnation(startingAs: $0)) }
    }

    /// Runs the schedule to its end and returns what is wrong with the outcome.
    mutating func run(steps: Int) async throws -> [String] {
        try await handOff.enable(audioGroups: [group], eventGroups: [], in: [partition])
        for gateway in gateways.indices {
            for number in 0..<2 {
                let test = TestSession(
                    user: "u\(gateway)\(number)", gateway: Incarnation(startingAs: "gateway-\(gateway)"))
                chains.append([])
                try await connect(test, test.registration(), device: chains.count - 1, to: gateway)
            }
        }
        for _ in 0..<steps { try await step() }
        return try await settle()
    }

    private mutating func step() async throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<35: try await gatewayActs(Int.random(in: 0...1, using: &random), isReliable: false)
        case 35..<60: try await workerReads(Int.random(in: 0...1, using: &random))
        case 60..<80: try await workerCommits(Int.random(in: 0...1, using: &random), isReliable: false)
        case 80..<88: try await runStraggler()
        case 88..<93: try await takeOver(Int.random(in: 0...1, using: &random))
        case 93..<95: try await coordinatorEnds()
        case 95..<97: try await coordinatorTrims()
        default: try await resume()
        }
    }

    // MARK: Devices

    private mutating func connect(
        _ test: TestSession, _ registration: SessionRegistration, device: Int, to gateway: Int
    ) async throws {
        // The first reply is lost.
        _ = try await handOff.register(registration, in: partition)
        let grant = try await handOff.register(registration, in: partition)
        var session = FuzzGateway.Session(test: test, device: device)
        (session.epoch, session.sent, session.acknowledged) = (grant.epoch, grant.from, grant.from)
        gateways[gateway].sessions.append(session)
        chains[device].append(test.id)
    }

    /// A device connects again, to any gateway, and sends what it was not told to forget; the gateway that it had is
    /// not told.
    private mutating func resume() async throws {
        let device = Int.random(in: chains.indices, using: &random)
        let gateway = Int.random(in: 0...1, using: &random)
        guard let last = chains[device].last else { return }
        let sessions = gateways.flatMap(\.sessions).filter { $0.device == device }
        let test = TestSession(
            user: sessions[0].test.user.text, gateway: Incarnation(startingAs: "gateway-\(gateway)"))
        let request = test.resuming(last, first: sessions.map(\.acknowledged).max() ?? 0)
        try await connect(test, request, device: device, to: gateway)
        resumed += 1
    }

    // MARK: Gateways

    private mutating func gatewayActs(_ index: Int, isReliable: Bool) async throws {
        if !isReliable { gateways[index].act(&random) }
        let pipeline = gateways[index].unanswered
        guard !pipeline.isEmpty else { return }
        // Everything unanswered goes out again, in order; the connection may break behind any operation.
        let isBroken = !isReliable && random.chance(0.35)
        let executed = isBroken ? Int.random(in: 0...pipeline.count, using: &random) : pipeline.count
        let answered = isBroken ? Int.random(in: 0...executed, using: &random) : executed
        for (place, operation) in pipeline.prefix(executed).enumerated() {
            let holds = try await execute(operation, gateway: index)
            if place < answered { settle(operation, gateway: index, holds: holds) }
        }
        gateways[index].unanswered.removeFirst(answered)
        guard isBroken, random.chance(0.7) else { return }
        let rest = pipeline.dropFirst(executed).map { straggler($0, gateway: index) }
        if !rest.isEmpty { broken.append(Array(rest)) }
    }

    private func execute(_ operation: FuzzGateway.Operation, gateway: Int) async throws -> Bool {
        switch operation {
        case .append(let number, let first, let count):
            let entry = gateways[gateway].sessions[number].test.entry(from: first, count: Int(count))
            _ = try await handOff.append(entry, to: partition)
            return true
        case .tail(let number, _):
            let session = gateways[gateway].sessions[number]
            return try await handOff.holds(session.test.id, epoch: session.epoch, in: partition)
        case .end(let number):
            let session = gateways[gateway].sessions[number]
            _ = try await handOff.end(
                session.test.ending(epoch: session.epoch, frames: session.sent), in: partition)
            return true
        case .note(let number, let last):
            let session = gateways[gateway].sessions[number]
            return try await handOff.note(
                session.test.id, epoch: session.epoch, last: last, capture: 0, in: partition)
        }
    }

    private func straggler(_ operation: FuzzGateway.Operation, gateway: Int) -> Straggler {
        let (handOff, partition) = (handOff, partition)
        switch operation {
        case .append(let number, let first, let count):
            let entry = gateways[gateway].sessions[number].test.entry(from: first, count: Int(count))
            return { _ = try await handOff.append(entry, to: partition) }
        case .tail: return {}
        case .end(let number):
            let session = gateways[gateway].sessions[number]
            let ending = session.test.ending(epoch: session.epoch, frames: session.sent)
            return { _ = try await handOff.end(ending, in: partition) }
        case .note(let number, let last):
            let (id, epoch) = (gateways[gateway].sessions[number].test.id, gateways[gateway].sessions[number].epoch)
            return { _ = try await handOff.note(id, epoch: epoch, last: last, capture: 0, in: partition) }
        }
    }

    /// The reply has come.
    private mutating func settle(_ operation: FuzzGateway.Operation, gateway: Int, holds: Bool) {
        guard case .tail(let number, let through) = operation else { return }
        if holds || !checksTail {
            let known = gateways[gateway].sessions[number].acknowledged
            gateways[gateway].sessions[number].acknowledged = max(known, through)
            gateways[gateway].unanswered.append(.note(session: number, last: through - 1))
        } else {
            gateways[gateway].sessions[number].isClosed = true
        }
    }

    // MARK: Workers

    private mutating func takeOver(_ index: Int) async throws {
        let seen = try await handOff.sightings(of: [partition], group: group)[partition]
        let attempt = Lease.Attempt(partition: partition, owner: workers[index].member, lapsed: seen)
        if random.chance(0.2) {
            // The request is executed later, if nothing has changed by then; nobody learns of it.
            let (handOff, group) = (handOff, group)
            broken.append([{ _ = try await handOff.acquire([attempt], group: group, stream: .audio) }])
            return
        }
        guard case .granted(let grant)? = try await handOff.acquire([attempt], group: group, stream: .audio)[partition]
        else { return }
        // The old owner is not told.
        workers[index].begin(grant)
        if random.chance(0.2) {
            let (handOff, group, partition) = (handOff, group, partition)
            broken.append([{ try await handOff.release(grant.token, group: group, partition: partition) }])
        }
    }

    private mutating func workerReads(_ index: Int) async throws {
        guard workers[index].grant != nil else { return }
        let count = Int.random(in: 1...8, using: &random)
        let entries = try await handOff.entries(
            of: .audio, in: partition, after: workers[index].cursor, count: count)
        for entry in entries {
            let audio = try AudioEntry(decoding: entry.payload)
            // The group is not through with the session before: read on when it is.
            guard try await isBeforeDone(audio.session, worker: index) else { return }
            workers[index].cursor = entry.position
            workers[index].read += 1
            guard try await openLane(audio.session, worker: index), let lane = workers[index].lanes[audio.session]
            else {
                continue
            }
            let end = lane.session.end
            if let end, entry.position > end { continue }
            if case .end = audio.content {
                workers[index].lanes[audio.session]?.isDone = true
                hold(entry, audio.session, next: .max, worker: index)
            } else if audio.nextSequence > lane.expected, !lane.isDone {
                workers[index].lanes[audio.session]?.expected = audio.nextSequence
                hold(entry, audio.session, next: audio.nextSequence, worker: index)
            }
        }
    }

    private mutating func hold(_ entry: StreamEntry, _ session: SessionID, next: UInt64, worker: Int) {
        let before = workers[worker].read - 1
        workers[worker].held.append(
            FuzzWorker.Held(position: entry.position, session: session, next: next, before: before))
    }

    private func isBeforeDone(_ id: SessionID, worker: Int) async throws -> Bool {
        if workers[worker].lanes[id] != nil || workers[worker].ignored.contains(id) { return true }
        guard let session = try await handOff.session(id, group: group, in: partition),
            let before = session.predecessor
        else { return true }
        return try await handOff.session(before, group: group, in: partition)?.progress.isDone ?? true
    }

    /// A lane comes from the registry: unknown sessions and those that are through get none.
    private mutating func openLane(_ id: SessionID, worker: Int) async throws -> Bool {
        if workers[worker].ignored.contains(id) { return false }
        if workers[worker].lanes[id] != nil { return true }
        guard let session = try await handOff.session(id, group: group, in: partition), !session.progress.isDone else {
            workers[worker].ignored.insert(id)
            return false
        }
        var next = max(session.progress.next, session.first)
        if let before = session.predecessor {
            next = max(next, try await handOff.session(before, group: group, in: partition)?.progress.next ?? 0)
        }
        workers[worker].lanes[id] = FuzzWorker.Lane(
            session: session, expected: next, committed: next, ordinal: session.progress.ordinal, isDone: false)
        return true
    }

    private mutating func workerCommits(_ index: Int, isReliable: Bool) async throws {
        guard let commit = workers[index].inDoubt ?? draw(worker: index, everything: isReliable) else { return }
        workers[index].inDoubt = commit
        let fate = isReliable ? 0 : Int.random(in: 0..<10, using: &random)
        switch fate {
        case 0..<6: break
        case 6, 7:
            // The reply is lost: the worker will repeat the number.
            if try await handOff.commit(commit) == .fenced { refused += 1 }
            return
        case 8:
            let handOff = handOff
            broken.append([{ _ = try await handOff.commit(commit) }])
            return
        default: return
        }
        switch try await handOff.commit(commit) {
        case .applied, .repeated:
            workers[index].number = commit.number
            workers[index].inDoubt = nil
        case .fenced:
            refused += 1
            workers[index].grant = nil
            workers[index].inDoubt = nil
        case .outOfOrder: throw Unexpected("a worker that waits for each commit got \(commit.number) out of order")
        }
    }

    /// Takes what some lanes have absorbed into a commit.
    private mutating func draw(worker index: Int, everything: Bool) -> Commit? {
        guard let grant = workers[index].grant else { return nil }
        var contributions: [Commit.Lane] = []
        for id in workers[index].lanes.keys.sorted(by: { $0.value < $1.value }) where everything || random.chance(0.6) {
            guard var lane = workers[index].lanes[id], lane.isDone || lane.expected > lane.committed else { continue }
            lane.ordinal += 1
            let progress = LaneProgress(
                next: lane.expected, ordinal: lane.ordinal, events: lane.ordinal, isDone: lane.isDone)
            let event = "range \(id) \(lane.committed) \(lane.expected) \(lane.isDone ? 1 : 0)"
            contributions.append(Commit.Lane(session: id, progress: progress, events: [event]))
            lane.committed = lane.expected
            workers[index].lanes[id] = lane.isDone ? nil : lane
            if lane.isDone { workers[index].ignored.insert(id) }
            let through = lane.isDone ? UInt64.max : lane.expected
            workers[index].held.removeAll { $0.session == id && $0.next <= through }
        }
        guard !contributions.isEmpty || everything else { return nil }
        return Commit(
            group: group, stream: .audio, partition: partition, token: grant.token, number: workers[index].number + 1,
            position: workers[index].position(from: grant), lanes: contributions)
    }

    // MARK: Coordinator and stragglers

    private mutating func coordinatorEnds() async throws {
        let live = try await handOff.liveSessions(in: [partition])[partition] ?? [:]
        guard let id = live.keys.sorted(by: { $0.value < $1.value }).randomElement(using: &random) else { return }
        for gateway in gateways {
            for session in gateway.sessions where session.test.id == id {
                let ending = session.test.ending(epoch: nil, reason: .gatewayDead)
                _ = try await handOff.end(ending, in: partition)
            }
        }
    }

    private mutating func coordinatorTrims() async throws {
        if coordinator == nil {
            let attempt = Lease.Attempt(partition: partition, owner: Incarnation(startingAs: "coordinator-0"))
            let outcome = try await handOff.acquire([attempt], group: .coordinator, stream: nil)[partition]
            if case .granted(let grant)? = outcome { coordinator = grant }
        }
        guard let token = coordinator?.token else { throw Unexpected("the coordinator has no lease") }
        _ = try await handOff.trim(.audio, in: partition, token: token, group: .coordinator)
    }

    private mutating func runStraggler() async throws {
        guard let index = broken.indices.randomElement(using: &random) else { return }
        let command = broken[index].removeFirst()
        if broken[index].isEmpty { broken.remove(at: index) }
        try await command()
    }

    // MARK: The end and the check

    /// Lets everything arrive, ends every session, reads to the end, and checks.
    private mutating func settle() async throws -> [String] {
        while !broken.isEmpty { try await runStraggler() }
        for gateway in gateways.indices {
            for session in gateways[gateway].sessions.indices where !gateways[gateway].sessions[session].isClosed {
                gateways[gateway].sessions[session].isClosed = true
                gateways[gateway].unanswered.append(.end(session: session))
            }
            try await gatewayActs(gateway, isReliable: true)
        }
        // Before the last trim, what stands in the stream above the position is what the reader still has to see.
        try await takeOverForGood()
        while true {
            let cursor = workers[0].cursor
            for _ in 0..<20 { try await workerReads(0) }
            try await workerCommits(0, isReliable: true)
            if workers[0].cursor == cursor { break }
        }
        return try await violations()
    }

    private mutating func takeOverForGood() async throws {
        let seen = try await handOff.sightings(of: [partition], group: group)[partition]
        let attempt = Lease.Attempt(partition: partition, owner: workers[0].member, lapsed: seen)
        guard case .granted(let grant)? = try await handOff.acquire([attempt], group: group, stream: .audio)[partition]
        else { throw Unexpected("the lease was refused") }
        workers[0].begin(grant)
    }

    private func violations() async throws -> [String] {
        var found: [String] = []
        let devices = Dictionary(
            uniqueKeysWithValues: chains.enumerated().flatMap { device, ids in ids.map { ($0.description, device) } })
        var reached = [UInt64](repeating: 0, count: chains.count)
        var own: [String: UInt64] = [:]
        let events = try await handOff.entries(of: .events, in: partition, after: .start, count: 100_000)
        for event in events {
            let words = String(buffer: event.payload).split(separator: " ").map(String.init)
            guard words.count == 5, words[0] == "range", let from = UInt64(words[2]), let to = UInt64(words[3]),
                let device = devices[words[1]]
            else { continue }
            if from < reached[device] { found.append("\(from)..<\(to) follows \(reached[device])") }
            if from > reached[device] {
                // The device had forgotten them when it connected again.
                let what = own[words[1]] == nil ? "were acknowledged and are gone" : "are missing"
                found.append("\(reached[device])..<\(from) \(what)")
            }
            reached[device] = to
            own[words[1]] = to
        }
        for session in gateways.flatMap(\.sessions) {
            let covered = own[session.test.id.description]
            if reached[session.device] < session.acknowledged {
                found.append("\(session.acknowledged) frames were acknowledged, \(reached[session.device]) came out")
            }
            guard let known = try await handOff.session(session.test.id, group: group, in: partition) else {
                found.append("a session is gone")
                continue
            }
            if known.end == nil || !known.isCompleted { found.append("a session never completed") }
            if covered != known.progress.next {
                found.append("the events say \(covered as Any), the progress \(known.progress.next)")
            }
        }
        let lag = try await handOff.lag(of: group, stream: .audio, in: [partition]).first
        if lag?.entries != 0 { found.append("the lag is \(lag?.entries as Any) at the end") }
        return found
    }
}
