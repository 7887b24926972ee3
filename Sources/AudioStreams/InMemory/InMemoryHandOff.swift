package import EarshotModel
package import NIOCore
import Synchronization

/// The hand-off in this process's memory, for tests of roles; the conformance suite holds it to what Redis does.
package final class InMemoryHandOff: HandOff, StreamReader {
    let state = Mutex(InMemoryState())
    let limits: Limits

    /// An empty fleet.
    package init(limits: Limits = Limits()) { self.limits = limits }

    package var serverIdentity: String? { state.withLock { "memory-\($0.server)" } }

    /// Makes every following operation fail as if Redis were away, or work again.
    package func setAvailable(_ isAvailable: Bool) {
        let waiters = state.withLock { state in
            state.isAvailable = isAvailable
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Makes the store look like another server with the same data.
    package func changeServer() { state.withLock { $0.server += 1 } }

    /// Every live result published so far, with the channel's gateway.
    package var published: [(gateway: String, result: LiveResult)] { state.withLock(\.published) }
    /// The events of a partition so far.
    package func events(in partition: Partition) -> [ByteBuffer] {
        state.withLock { $0.stream(.events, partition).entries.map(\.payload) }
    }
    /// The entries a group gave up on.
    package func deadLetters(of group: WorkerGroup, in partition: Partition) -> [Commit.DeadLetter] {
        state.withLock { $0.partitions[partition]?.dead[group] ?? [] }
    }

    func perform<Result: Sendable>(
        _ body: (inout InMemoryState) throws(HandOffError) -> Result
    ) throws(HandOffError) -> Result {
        let (result, waiters) = try state.withLock {
            state throws(HandOffError) -> (Result, [CheckedContinuation<Void, Never>]) in
            guard state.isAvailable else { throw HandOffError(.unavailable, "the in-memory hand-off is switched off") }
            let result = try body(&state)
            return (result, state.hasAppended ? state.takeWaiters() : [])
        }
        for waiter in waiters { waiter.resume() }
        return result
    }

    // MARK: Fleet and members

    package func joinFleet(_ meta: FleetMeta) async throws(HandOffError) -> FleetMeta {
        try perform { state throws(HandOffError) in
            if state.fleet == nil { state.fleet = meta }
            return state.fleet ?? meta
        }
    }

    package func join(kind: String, as member: Incarnation) async throws(HandOffError) {
        try perform { state throws(HandOffError) in
            var members = state.members[kind] ?? [:]
            for other in members.keys where Incarnation(other)?.name == member.name && other != member.description {
                members[other] = nil
            }
            members[member.description, default: 0] += 1
            state.members[kind] = members
        }
    }

    package func beat(kind: String, as member: Incarnation) async throws(HandOffError) -> [String: Int64] {
        try perform { state throws(HandOffError) in
            state.members[kind, default: [:]][member.description, default: 0] += 1
            return state.members[kind] ?? [:]
        }
    }

    package func members(kind: String) async throws(HandOffError) -> [String: Int64] {
        try perform { state throws(HandOffError) in state.members[kind] ?? [:] }
    }

    package func leave(kind: String, as member: Incarnation) async throws(HandOffError) {
        try perform { state throws(HandOffError) in
            state.members[kind]?[member.description] = nil
        }
    }

    package func forget(kind: String, member: String, beat: Int64) async throws(HandOffError) -> Bool {
        try perform { state throws(HandOffError) in
            guard state.members[kind]?[member] == beat else { return false }
            state.members[kind]?[member] = nil
            return true
        }
    }

    // MARK: Sessions

    package func register(
        _ registration: SessionRegistration, in partition: Partition
    ) async throws(HandOffError) -> SessionRegistration.Grant {
        try perform { state throws(HandOffError) in try state.register(registration, partition) }
    }

    package func append(_ entry: ByteBuffer, to partition: Partition) async throws(HandOffError) -> StreamPosition {
        try perform { state throws(HandOffError) in state.append(entry, to: .audio, partition) }
    }

    package func holds(
        _ session: SessionID, epoch: FencingToken, in partition: Partition
    ) async throws(HandOffError) -> Bool {
        try perform { state throws(HandOffError) in
            let known = state.partitions[partition]?.sessions[session]
            return known?.base.epoch == epoch && known?.base.end == nil
        }
    }

    @discardableResult
    package func note(
        _ session: SessionID, epoch: FencingToken, last: UInt64, capture: Int64, in partition: Partition
    ) async throws(HandOffError) -> Bool {
        try perform { state throws(HandOffError) in
            state.note(session, epoch: epoch, last: last, capture: capture, in: partition)
        }
    }

    package func end(
        _ ending: SessionEnding, in partition: Partition
    ) async throws(HandOffError) -> SessionEnding.Outcome {
        try perform { state throws(HandOffError) in state.end(ending, partition) }
    }

    package func session(
        _ id: SessionID, group: WorkerGroup, in partition: Partition
    ) async throws(HandOffError) -> RegisteredSession? {
        try perform { state throws(HandOffError) in
            guard let known = state.partitions[partition]?.sessions[id] else { return nil }
            var session = known.base
            session.progress = known.progress[group] ?? LaneProgress()
            return session
        }
    }

    package func liveSessions(
        in partitions: [Partition]
    ) async throws(HandOffError) -> [Partition: [SessionID: String]] {
        try perform { state throws(HandOffError) in
            var result: [Partition: [SessionID: String]] = [:]
            for partition in partitions {
                let live = state.partitions[partition]?.live ?? [:]
                if !live.isEmpty { result[partition] = live }
            }
            return result
        }
    }

    package func finals(of session: SessionID, in partition: Partition) async throws(HandOffError) -> [LiveResult] {
        try perform { state throws(HandOffError) in state.partitions[partition]?.finals[session] ?? [] }
    }

    // MARK: Leases

    package func acquire(
        _ attempts: [Lease.Attempt], group: WorkerGroup, stream: StreamKind?
    ) async throws(HandOffError) -> [Partition: Lease.Outcome] {
        try perform { state throws(HandOffError) in
            var result: [Partition: Lease.Outcome] = [:]
            for attempt in attempts { result[attempt.partition] = state.acquire(attempt, group, stream) }
            return result
        }
    }

    package func renew(
        _ tokens: [Partition: FencingToken], settled: Set<Partition>, group: WorkerGroup
    ) async throws(HandOffError) -> Set<Partition> {
        try perform { state throws(HandOffError) in
            var kept: Set<Partition> = []
            for (partition, token) in tokens {
                let isKept = state.partitions[partition]?.leases[group]?.renew(
                    token, isSettled: settled.contains(partition))
                if isKept == true { kept.insert(partition) }
            }
            return kept
        }
    }

    package func release(
        _ token: FencingToken, group: WorkerGroup, partition: Partition
    ) async throws(HandOffError) {
        try perform { state throws(HandOffError) in
            guard state.partitions[partition]?.leases[group]?.token == token else { return }
            state.partitions[partition]?.leases[group]?.isReleased = true
        }
    }

    package func sightings(
        of partitions: [Partition], group: WorkerGroup
    ) async throws(HandOffError) -> [Partition: Lease.Sighting] {
        try perform { state throws(HandOffError) in
            var result: [Partition: Lease.Sighting] = [:]
            for partition in partitions {
                guard let lease = state.partitions[partition]?.leases[group] else { continue }
                result[partition] = Lease.Sighting(
                    token: lease.token, beat: lease.beat, owner: lease.owner, isReleased: lease.isReleased)
            }
            return result
        }
    }

    package func takeInHand(
        _ hand: String?, clearing cleared: String?, token: FencingToken, group: WorkerGroup, partition: Partition
    ) async throws(HandOffError) -> Bool {
        try perform { state throws(HandOffError) in
            guard state.partitions[partition]?.leases[group]?.token == token else { return false }
            state.partitions[partition]?.leases[group]?.hand = hand
            if let cleared { state.partitions[partition]?.leases[group]?.acquit(cleared) }
            return true
        }
    }

    // MARK: Streams

    package func entries(
        of stream: StreamKind, in partition: Partition, after position: StreamPosition, count: Int
    ) async throws(HandOffError) -> [StreamEntry] {
        try perform { state throws(HandOffError) in
            state.entries(stream, partition, after: position, count: count)
        }
    }

    package func park(
        _ positions: [StreamPosition], of session: SessionID, token: FencingToken, group: WorkerGroup,
        partition: Partition
    ) async throws(HandOffError) -> ParkedLane.Outcome {
        let quota = limits.parkedBytesMaximum
        return try perform { state throws(HandOffError) in
            guard state.partitions[partition]?.leases[group]?.token == token else { return .fenced }
            return state.park(positions, of: session, group, partition, quota: quota)
        }
    }

    package func parkedEntries(
        of session: SessionID, group: WorkerGroup, in partition: Partition, after position: StreamPosition, count: Int
    ) async throws(HandOffError) -> [StreamEntry] {
        try perform { state throws(HandOffError) in
            let entries = state.partitions[partition]?.parked[group]?[session] ?? []
            return Array(entries.lazy.filter { $0.position > position }.prefix(count))
        }
    }

    package func commit(_ commit: Commit) async throws(HandOffError) -> Commit.Outcome {
        let limits = limits
        return try perform { state throws(HandOffError) in try state.commit(commit, limits) }
    }

    package func publish(
        _ result: LiveResult, to gateway: Incarnation, token: FencingToken, group: WorkerGroup, partition: Partition
    ) async throws(HandOffError) -> Bool {
        try perform { state throws(HandOffError) in
            guard state.partitions[partition]?.leases[group]?.token == token else { return false }
            state.published.append((gateway.description, result))
            return true
        }
    }

    // MARK: Reading

    /// A reader of its own: interrupting it wakes no other.
    package func makeReader() -> any StreamReader {
        InMemoryStreamReader(handOff: self, number: state.withLock { $0.drawNumber() })
    }

    package func read(
        _ stream: StreamKind, after cursors: [Partition: StreamPosition], count: Int, block: Duration
    ) async throws(HandOffError) -> [Partition: [StreamEntry]] {
        try await read(stream, after: cursors, count: count, block: block, reader: 0)
    }

    package func interrupt() { interrupt(reader: 0) }

    func read(
        _ stream: StreamKind, after cursors: [Partition: StreamPosition], count: Int, block: Duration, reader: UInt64
    ) async throws(HandOffError) -> [Partition: [StreamEntry]] {
        let wait = InMemoryState.Wait(number: state.withLock { $0.drawNumber() }, reader: reader)
        let deadline = ContinuousClock.now + block
        while true {
            switch try look(stream, after: cursors, count: count, wait) {
            case .found(let found): return found
            case .interrupted: throw HandOffError(.cancelled, "the read was interrupted")
            case .nothing: break
            }
            guard ContinuousClock.now < deadline else { return [:] }
            await waitForChange(wait, before: deadline)
        }
    }

    func interrupt(reader: UInt64) { state.withLock { $0.interrupt(reader) }.forEach { $0.resume() } }

    private enum Look: Sendable {
        case found([Partition: [StreamEntry]])
        case nothing
        case interrupted
    }

    private func look(
        _ stream: StreamKind, after cursors: [Partition: StreamPosition], count: Int, _ wait: InMemoryState.Wait
    ) throws(HandOffError) -> Look {
        if Task.isCancelled { throw HandOffError(.cancelled, "the reading task was cancelled") }
        return try perform { state throws(HandOffError) in
            if state.interrupted.remove(wait.reader) != nil { return .interrupted }
            var found: [Partition: [StreamEntry]] = [:]
            for (partition, cursor) in cursors {
                let entries = state.entries(stream, partition, after: cursor, count: count)
                if !entries.isEmpty { found[partition] = entries }
            }
            guard found.isEmpty else { return .found(found) }
            // Under the same lock as the look, so that no change between it and the wait is missed.
            state.expect(wait)
            return .nothing
        }
    }

    /// Waits until something is appended, an interruption, a cancellation or the deadline.
    private func waitForChange(_ wait: InMemoryState.Wait, before deadline: ContinuousClock.Instant) async {
        await withTaskGroup(of: Void.self) { race in
            // tidy:allow Task.sleep the block of a read, ended by whatever comes first
            race.addTask { try? await Task.sleep(until: deadline) }
            race.addTask {
                await withTaskCancellationHandler {
                    await withCheckedContinuation { continuation in
                        let isSettled = self.state.withLock { !$0.store(continuation, for: wait) }
                        if isSettled { continuation.resume() }
                    }
                } onCancel: {
                    self.state.withLock { $0.settle(wait) }?.resume()
                }
            }
            await race.next()
            race.cancelAll()
        }
    }
}
