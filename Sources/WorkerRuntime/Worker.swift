package import AudioStreams
package import CoreMetrics
package import EarshotModel
package import Logging
import ServiceLifecycle
import Supervision
import Synchronization

/// One worker process's consumption of a group: shares partitions by lease, reads them, runs their lanes.
///
/// The same for every worker type; what differs is the routing and the processors.
package final class Worker: Service {
    /// What a worker runs with.
    package struct Configuration: Sendable {
        package var group: WorkerGroup
        package var routing: LaneRouting
        package var member: Incarnation
        package var partitions: Int
        package var limits: Limits

        /// Makes a configuration.
        package init(
            group: WorkerGroup, routing: LaneRouting, member: Incarnation, partitions: Int, limits: Limits = Limits()
        ) {
            self.group = group
            self.routing = routing
            self.member = member
            self.partitions = partitions
            self.limits = limits
        }
    }

    /// Nothing moves in this process, though it may in another: it should end, and its leases are given back.
    package enum Stalled: Error, CustomStringConvertible {
        /// A lane's call does not return (`Limits.stallTimeout`, `laneStallTimeout`), and waits for nothing named.
        case partition(Partition)
        /// No lane got on for `Limits.dependencyWaitMaximum`, and all that wait do so for this dependency.
        case dependency(String)

        /// For the log.
        package var description: String {
            switch self {
            case .partition(let partition): "a lane of partition \(partition) hangs"
            case .dependency(let name): "every lane that waits has waited too long for \(name)"
            }
        }
    }

    private let configuration: Configuration
    private let handOff: any HandOff
    private let reader: any StreamReader
    private let factory: any LaneProcessorFactory
    private let metrics: WorkerMetrics
    private let logger: Logger
    private let gate = ReplayGate()
    private let contact: ReadingContact
    private let onReady: @Sendable (Bool, String) -> Void
    private let onStalled: @Sendable () -> Void
    private let consumers = Mutex<[Partition: PartitionConsumer]>([:])
    private let finished = Mutex<[Partition]>([])
    /// Told when there is something to read; a pending signal is enough.
    private let (readable, readableContinuation) = AsyncStream.makeStream(
        of: Void.self, bufferingPolicy: .bufferingNewest(1))
    /// Raised when a partition has ended.
    private let ended = Signal()

    private let supervision: Supervision

    private var limits: Limits { configuration.limits }

    /// A worker that does nothing until it runs.
    ///
    /// The counters are kept in `metrics`; tests pass their own. `onReady` is told after every round whether the worker
    /// is in contact, and why not; `onStalled` that a stalled worker has given its partitions back, when what hangs may
    /// still keep `run()` from ending.
    package init(
        _ configuration: Configuration, handOff: any HandOff, reader: any StreamReader,
        factory: any LaneProcessorFactory, metrics: any MetricsFactory = MetricsSystem.factory, logger: Logger,
        onReady: @escaping @Sendable (Bool, String) -> Void = { _, _ in },
        onStalled: @escaping @Sendable () -> Void = {}
    ) {
        self.configuration = configuration
        self.handOff = handOff
        self.reader = reader
        self.factory = factory
        supervision = Supervision(configuration.group.name, logger: logger, metrics: metrics)
        self.metrics = WorkerMetrics(group: configuration.group, factory: metrics)
        self.contact = ReadingContact(limits: configuration.limits)
        self.logger = logger
        self.onReady = onReady
        self.onStalled = onStalled
    }

    /// Works until a graceful shutdown, then hands every partition over; a cancellation abandons them.
    package func run() async throws {
        var ownership = PartitionOwnership(
            group: configuration.group, stream: configuration.routing.stream, member: configuration.member,
            partitions: configuration.partitions, handOff: handOff, limits: limits, logger: logger)
        var stalled: Stalled?
        var watch = StallWatch(limits: limits, from: .now)
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { await self.readUntilCancelled() }
            var hasJoined = false
            while !Task.isCancelled && !Task.isShuttingDownGracefully && stalled == nil {
                if !hasJoined { hasJoined = await join() }
                if hasJoined {
                    let changes = await ownership.tick(settled: settledPartitions())
                    await dropLost(changes)
                    for (partition, grant) in changes.granted {
                        let consumer = open(partition, grant)
                        tasks.addTask { await self.consume(consumer) }
                    }
                    await apply(changes, to: &ownership)
                    if !changes.hadContact { watch.contactLost(at: .now) }
                    onReady(changes.hadContact, changes.hadContact ? "" : "Redis does not answer")
                }
                stalled = await tickConsumers(watch)
                await Ticker.wait(limits.heartbeatInterval)
            }
            onReady(false, "draining")
            if let stalled { logger.critical("giving up", metadata: ["reason": "\(stalled)"]) }
            await handEverythingOver()
            if stalled != nil { onStalled() }
            tasks.cancelAll()
        }
        if let stalled { throw stalled }
    }

    private func join() async -> Bool {
        do throws(HandOffError) {
            try await handOff.join(kind: configuration.group.name, as: configuration.member)
            return true
        } catch {
            onReady(false, "Redis does not answer")
            logger.warning("waiting for Redis", metadata: ["error": "\(error)"])
            return false
        }
    }

    // MARK: Partitions

    private func open(_ partition: Partition, _ grant: Lease.Grant) -> PartitionConsumer {
        metrics.leaseTaken(grant.mode.rawValue)
        if grant.mode == .lapsed, grant.horizon > grant.position {
            logger.notice(
                "taking over a lapsed lease",
                metadata: ["partition": "\(partition)", "from": "\(grant.position)", "to": "\(grant.horizon)"])
        }
        let consumer = PartitionConsumer(
            partition: partition, grant: grant, group: configuration.group, routing: configuration.routing,
            factory: factory, handOff: handOff, limits: limits, metrics: metrics, gate: gate, contact: contact,
            logger: logger, onReadable: { [readableContinuation] in readableContinuation.yield() })
        consumers.withLock { $0[partition] = consumer }
        partitionsChanged()
        return consumer
    }

    /// Runs a consumer to its end and gives the lease back, unless it was lost.
    private func consume(_ consumer: PartitionConsumer) async {
        await consumer.run()
        await consumer.releaseLease()
        consumers.withLock { consumers in
            if consumers[consumer.partition] === consumer { consumers[consumer.partition] = nil }
        }
        finished.withLock { $0.append(consumer.partition) }
        ended.raise()
    }

    /// Ends the consumers of lost leases, also where the lease is ours again: a new one begins from what is committed.
    private func dropLost(_ changes: PartitionOwnership.Changes) async {
        let current = consumers.withLock { $0 }
        for partition in changes.lost.union(changes.granted.keys) {
            guard let consumer = current[partition] else { continue }
            metrics.leasesLost.increment()
            // A renewal was told before a commit could be: what it would have written is refused all the same.
            metrics.commitsRefused.increment(by: await consumer.abandon())
        }
    }

    private func apply(_ changes: PartitionOwnership.Changes, to ownership: inout PartitionOwnership) async {
        let current = consumers.withLock { $0 }
        for partition in changes.surplus { await current[partition]?.handOver(cutting: false) }
        let ended = finished.withLock { finished in
            defer { finished = [] }
            return finished
        }
        for partition in ended where consumers.withLock({ $0[partition] }) == nil { ownership.forget(partition) }
    }

    private func settledPartitions() async -> Set<Partition> {
        Set(await ask(consumers.withLock { $0 }) { await $0.isSettled }.filter(\.value).keys)
    }

    /// Asks all consumers at once: one after the other, each would wait behind the lanes of a busy process.
    private func ask<Answer: Sendable>(
        _ consumers: [Partition: PartitionConsumer],
        _ question: @escaping @Sendable (PartitionConsumer) async -> Answer
    ) async -> [Partition: Answer] {
        await withTaskGroup(of: (Partition, Answer).self) { tasks in
            for (partition, consumer) in consumers {
                tasks.addTask { (partition, await question(consumer)) }
            }
            return await tasks.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func tickConsumers(_ watch: StallWatch) async -> Stalled? {
        var lanes = 0
        var parked = (entries: 0, bytes: 0)
        var wait = DependencyWait()
        var work: [Partition: WorkInHand] = [:]
        let current = consumers.withLock { $0 }
        for (partition, beat) in await ask(current, { await $0.beat() }) {
            lanes += beat.lanes
            parked = (parked.entries + beat.parked.entries, parked.bytes + beat.parked.bytes)
            wait.merge(beat.dependencyWait)
            work[partition] = beat.work
        }
        metrics.lanes.record(lanes)
        metrics.parkedEntries.record(parked.entries)
        metrics.parkedBytes.record(parked.bytes)
        metrics.partitions.record(current.count)
        let hung = watch.hung(in: work, at: .now)
        for partition in hung { await current[partition]?.leaveHung() }
        if let first = hung.min() { return .partition(first) }
        return wait.overdue(after: limits.dependencyWaitMaximum, at: .now).map { .dependency($0) }
    }

    /// Leaves the members, so that nobody waits for this process, then hands over every partition at once.
    private func handEverythingOver() async {
        try? await handOff.leave(kind: configuration.group.name, as: configuration.member)
        let isCut = Task.isCancelled
        _ = await ask(consumers.withLock { $0 }) { consumer in
            if isCut { await consumer.cutShort() } else { await consumer.handOver(cutting: true) }
        }
        // More than half of the budget is for giving back what could not be cut in time, and for others to take it.
        let began = ContinuousClock.now
        _ = await supervision.drain(
            within: limits.handOverBudget * 2 / 5,
            ["hand-over": { await self.untilNoConsumers(before: began + self.limits.handOverBudget) }])
        let late = consumers.withLock { $0 }
        if let first = late.keys.min() {
            logger.warning(
                "a hand-over took too long; what was not committed is replayed",
                metadata: ["partitions": "\(late.count)", "first": "\(first)"])
        }
        // What they still have in hand may take longer: nobody has to wait for that, as they write nothing any more.
        _ = await ask(late) { consumer in
            await consumer.cutShort()
            await consumer.releaseLease()
        }
        await untilNoConsumers(before: began + limits.handOverBudget)
    }

    private func untilNoConsumers(before deadline: ContinuousClock.Instant) async {
        while consumers.withLock({ !$0.isEmpty }), ContinuousClock.now < deadline, !Task.isCancelled {
            await ended.wait(until: deadline)
        }
    }

    // MARK: Reading

    private func partitionsChanged() {
        readableContinuation.yield()
        reader.interrupt()
    }

    private func readUntilCancelled() async {
        var failures = 0
        while !Task.isCancelled {
            var cursors: [Partition: StreamPosition] = [:]
            let current = consumers.withLock { $0 }
            for (partition, consumer) in current { cursors[partition] = await consumer.readCursor }
            guard !cursors.isEmpty else {
                for await _ in readable { break }
                continue
            }
            // While a partition has enough in hand the read is short, so that it is looked at again soon.
            let block = cursors.count == current.count ? limits.readBlock : .milliseconds(50)
            do throws(HandOffError) {
                let batches = try await reader.read(
                    configuration.routing.stream, after: cursors, count: limits.readCount, block: block)
                failures = 0
                for (partition, entries) in batches {
                    metrics.entriesRead.increment(by: entries.count)
                    await current[partition]?.deliver(entries)
                }
                contact.answered()
            } catch {
                guard error.code != .cancelled else { continue }
                failures += 1
                contact.broke()
                metrics.readFailures.increment()
                await Backoff.dependency.pause(attempt: failures)
            }
        }
    }
}
