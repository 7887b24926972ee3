package import AudioStreams
import CoreMetrics
import DequeModule
package import EarshotModel
package import Logging

/// Consumes one partition under one lease: lanes, the position, numbered commits, the replay after a crash.
///
/// `run()` lives as long as the lease is wanted; the reader calls `deliver`. Lanes are child tasks of `run()`.
package actor PartitionConsumer {
    package nonisolated let partition: Partition
    nonisolated let group: WorkerGroup
    nonisolated let routing: LaneRouting
    nonisolated let factory: any LaneProcessorFactory
    nonisolated let handOff: any HandOff
    nonisolated let limits: Limits
    nonisolated let metrics: WorkerMetrics
    nonisolated let logger: Logger
    nonisolated let token: FencingToken
    nonisolated let gate: ReplayGate
    private nonisolated let contact: ReadingContact
    /// Told when a partition that had enough in hand wants to be read again.
    nonisolated let onReadable: @Sendable () -> Void
    /// Crashes counted against entries, by `session@position`.
    let crashes: [String: Int]
    /// The entry that a replay named last in the lease.
    var named: (key: LaneKey, position: StreamPosition)?

    enum Phase {
        /// Reading and committing.
        case consuming
        /// Reading has stopped; lanes cut and end.
        case handingOver
        /// The lease is gone, or given back; nothing more may be written.
        case over
    }

    var phase = Phase.consuming
    var isLeaseLost = false
    /// Whether the lease is left to lapse, as after a crash.
    private var isLeaseLeft = false
    private var isLeaseGivenBack = false
    var handingOverSince: ContinuousClock.Instant?
    /// Since when everything has ended where it stood; `nil` once every lane has come back.
    private var cutSince: ContinuousClock.Instant?
    /// Whether lanes commit what they can before they end.
    var cutsAtHandOver = false
    var lanes: [LaneKey: LaneState] = [:]
    private var lanesOpened = 0
    var tracker: PositionTracker
    /// The last entry read.
    var cursor: StreamPosition
    private var entriesSeen: UInt64
    var replay: ReplayPlan
    /// Lanes that ended for good; their entries are passed unseen.
    ///
    /// Bounded by `ignoredMaximum`.
    var ignored: Set<LaneKey> = []
    let ignoredMaximum = 10_000

    struct PendingCommit {
        let lane: Commit.Lane
        let key: LaneKey?
        let continuation: CheckedContinuation<Bool, Never>?
    }

    /// Parked entries to be removed with the next commit.
    var unparked: [SessionID: Commit.Unparked] = [:]
    /// When a lane's commit last covered more of its input.
    var lastAdvanceAt: ContinuousClock.Instant?
    var pendingCommits: Deque<PendingCommit> = []
    var commitNumber: Int64 = 0
    var committedPosition: Commit.Position
    var commitWaiter: CheckedContinuation<Void, Never>?
    var lastCommitAt: ContinuousClock.Instant = .now
    /// When a lane last absorbed or committed anything.
    var lastProgressAt: ContinuousClock.Instant = .now
    /// Set while the reader leaves this partition out because enough is in hand.
    private var isReadBlocked = false
    /// Since when the reader has not left it out.
    private var isReadSince: ContinuousClock.Instant = .now

    /// A lane whose task is to be started.
    private struct LaneStart: Sendable {
        let key: LaneKey
        let number: Int
    }

    /// One an open lane, so bounded by the partition's live sessions.
    private let (laneStarts, laneStartContinuation) = AsyncStream.makeStream(
        of: LaneStart.self, bufferingPolicy: .unbounded)

    /// A consumer of a granted lease.
    ///
    /// The gate and the contact are shared by all consumers of the process; `onReadable` is called from the consumer
    /// when reading may go on after `readCursor` was `nil`.
    package init(
        partition: Partition, grant: Lease.Grant, group: WorkerGroup, routing: LaneRouting,
        factory: any LaneProcessorFactory, handOff: any HandOff, limits: Limits, metrics: WorkerMetrics,
        gate: ReplayGate, contact: ReadingContact, logger: Logger, onReadable: @escaping @Sendable () -> Void
    ) {
        self.partition = partition
        self.group = group
        self.routing = routing
        self.factory = factory
        self.handOff = handOff
        self.limits = limits
        self.metrics = metrics
        self.gate = gate
        self.contact = contact
        self.onReadable = onReadable
        var logger = logger
        logger[metadataKey: "partition"] = "\(partition)"
        self.logger = logger
        self.token = grant.token
        self.crashes = grant.crashes
        self.tracker = PositionTracker(position: grant.position, entriesRead: grant.entriesRead)
        self.committedPosition = Commit.Position(position: grant.position, entriesRead: grant.entriesRead)
        self.cursor = grant.position
        self.entriesSeen = UInt64(max(0, grant.entriesRead))
        var replay = ReplayPlan(
            mode: grant.mode, position: grant.position, horizon: grant.horizon, hasParked: !grant.parked.isEmpty)
        for parked in grant.parked.sorted(by: { $0.first < $1.first }) {
            let key = LaneKey.session(parked.session)
            lanesOpened += 1
            var lane = LaneState(
                number: lanesOpened, now: .now, isHeldForReplay: replay.holds(key, at: parked.first))
            lane.parking = LaneParking(parked)
            lanes[key] = lane
            laneStartContinuation.yield(LaneStart(key: key, number: lane.number))
        }
        self.replay = replay
    }

    /// Runs the lanes and the commits until the partition is handed over or lost.
    ///
    /// Cancelling the task ends the lanes; `abandon()` or `handOver(cutting:)` ends the commits.
    package func run() async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await self.runLanes() }
            await runCommits()
            // A lane that still sleeps or computes has nothing more to write.
            tasks.cancelAll()
        }
        cutSince = nil
    }

    private func runLanes() async {
        await withDiscardingTaskGroup { tasks in
            for await start in laneStarts {
                // Below everything else of the process: a thousand lanes that compute must not make a lease lapse.
                tasks.addTask(priority: .utility) {
                    await LaneRunner(key: start.key, number: start.number, consumer: self).run()
                }
            }
        }
    }

    // MARK: From the reader

    /// Where the reader goes on, or `nil` while there is enough in hand.
    package var readCursor: StreamPosition? {
        guard phase == .consuming else { return nil }
        let wasReadBlocked = isReadBlocked
        isReadBlocked = !hasRoom
        if isReadBlocked { return nil }
        if wasReadBlocked { isReadSince = .now }
        return cursor
    }

    var hasRoom: Bool {
        var bytes = 0
        var unabsorbed = 0
        for lane in lanes.values {
            unabsorbed += lane.unabsorbed
            if !lane.isWaiting && !lane.isHeldForReplay { bytes += lane.inboxBytes }
        }
        return bytes < limits.partitionInFlightBytesMaximum && unabsorbed < limits.partitionUnabsorbedMaximum
    }

    /// Tells the reader, once, that there is room again.
    func roomMayHaveCome() {
        guard isReadBlocked, hasRoom else { return }
        isReadBlocked = false
        isReadSince = .now
        onReadable()
    }

    /// How long a lane got nothing though its partition was read.
    func quiet(of lane: LaneState) -> Duration {
        isReadBlocked ? .zero : contact.quiet(since: max(lane.lastEntryAt, isReadSince))
    }

    /// Takes in entries that were read from the cursor on.
    package func deliver(_ entries: [StreamEntry]) {
        guard phase == .consuming else { return }
        for entry in entries where entry.position > cursor {
            cursor = entry.position
            let handle = tracker.append(entry.position)
            switch routing.route(entry, entriesSeen) {
            case .lane(let routed): deliver(routed, handle: handle, number: entriesSeen)
            case .unwanted: tracker.pass(handle)
            case .unreadable(let reason):
                metrics.deadLetters.increment()
                logger.error(
                    "an entry cannot be read", metadata: ["entry": "\(entry.position)", "reason": "\(reason)"])
                pendingCommits.append(
                    PendingCommit(
                        lane: Commit.Lane(
                            session: nil, progress: LaneProgress(),
                            deadLetters: [Commit.DeadLetter(entry: entry, reason: reason)]), key: nil,
                        continuation: nil))
                tracker.pass(handle)
            }
            entriesSeen += 1
        }
        wakeCommits()
        advanceReplay()
    }

    private func deliver(_ routed: LaneEntry, handle: Int, number: UInt64) {
        guard !ignored.contains(routed.lane) else {
            metrics.lateEntries.increment()
            tracker.pass(handle)
            return
        }
        let now = ContinuousClock.now
        let known = lanes[routed.lane]
        if let parking = known?.parking, routed.entry.position <= parking.last {
            // Its owner died before the position moved behind what it had parked.
            tracker.pass(handle)
            return
        }
        var lane = known ?? openLane(routed, at: now)
        lane.pending.append(
            LaneState.Pending(
                handle: handle, position: routed.entry.position, number: number, nextSequence: routed.nextSequence))
        lane.unabsorbed += 1
        lane.lastEntryAt = now
        lane.wasToldIdle = false
        let bound =
            lane.isWaiting || lane.isHeldForReplay
            ? limits.waitingLaneEntriesMaximum : limits.laneInboxEntriesMaximum
        if lane.rereadAfter == nil {
            if lane.inbox.count < bound, lane.parking?.hasMore != true {
                lane.enqueue(routed)
            } else {
                lane.rereadAfter = lane.inbox.last?.entry.position ?? routed.entry.position.predecessor
                metrics.rereads.increment()
            }
        }
        let waiter = lane.isHeldForReplay || lane.predecessor != nil ? nil : lane.takeWaiter()
        lanes[routed.lane] = lane
        waiter?.resume()
        if known == nil {
            metrics.lanesOpened.increment()
            laneStartContinuation.yield(LaneStart(key: routed.lane, number: lane.number))
        }
    }

    private func openLane(_ routed: LaneEntry, at now: ContinuousClock.Instant) -> LaneState {
        lanesOpened += 1
        return LaneState(
            number: lanesOpened, now: now,
            isHeldForReplay: replay.holds(routed.lane, at: routed.entry.position))
    }

    // MARK: Lifetime

    /// A heartbeat: lanes whose time has come, idle lanes, due positions.
    package func tick() {
        let now = ContinuousClock.now
        for (key, lane) in lanes where lane.isDue(at: now) {
            lanes[key]?.isWakeDue = true
            lanes[key]?.takeWaiter()?.resume()
        }
        for (key, lane) in lanes where lane.waiter != nil && !lane.isHeldForReplay && lane.predecessor == nil {
            let quiet = quiet(of: lane)
            guard lane.wasToldIdle ? quiet >= limits.laneClose : quiet >= limits.laneIdle else { continue }
            lanes[key]?.takeWaiter()?.resume()
        }
        wakeSuccessors(of: nil)
        if isPositionDue { wakeCommits() }
        if phase == .handingOver, let since = handingOverSince, now - since >= limits.handOverBudget {
            logger.warning("a hand-over took too long; what was not committed is replayed")
            cutShort()
        }
    }

    /// What a heartbeat finds.
    struct Beat: Sendable {
        let lanes: Int
        let parked: (entries: Int, bytes: Int)
        let dependencyWait: DependencyWait
        let work: WorkInHand
    }

    /// A heartbeat, and how things stand behind it.
    func beat() -> Beat {
        tick()
        return Beat(lanes: laneCount, parked: parkedTotals, dependencyWait: dependencyWait, work: workInHand)
    }

    /// What the lanes' processors are called for.
    var workInHand: WorkInHand {
        let called = lanes.values.filter { !$0.isWaiting }
        return WorkInHand(
            lastProgressAt: lastProgressAt, callSince: called.compactMap(\.callSince).min(),
            unexplainedSince: called.filter { $0.dependency == nil }.compactMap(\.callSince).min(), cutSince: cutSince)
    }

    /// How the lanes wait for dependencies.
    var dependencyWait: DependencyWait {
        let waits = lanes.values.compactMap(\.dependency)
        return DependencyWait(
            names: Set(waits.map(\.name)), since: waits.map(\.since).min(), lastAdvanceAt: lastAdvanceAt)
    }

    /// Open lanes of sessions; the one lane of a stream that has but one is nobody's, and stays.
    package var laneCount: Int { lanes.keys.count { $0 != .stream } }

    /// Stops reading and ends every lane; then `run()` ends and the lease may be given back.
    ///
    /// A process that ends makes its lanes commit what they can, because a thousand successors would replay at once
    /// (protocol.md M2). A move between living processes does not: a cut in mid-speech changes words, and what a lane
    /// holds is replayed from its last commit.
    package func handOver(cutting: Bool) {
        guard phase == .consuming else { return }
        phase = .handingOver
        cutsAtHandOver = cutting
        handingOverSince = .now
        laneStartContinuation.finish()
        gate.leave(self)
        for (key, lane) in lanes {
            lanes[key]?.takeWaiter()?.resume()
            // It begins from its last commit when it goes on, so it has nothing to hand over.
            if lane.isWaiting { lanes[key] = nil }
        }
        wakeCommits()
    }

    /// Gives the lease back, once, after `run()` has ended or everything was cut short.
    ///
    /// One that was lost stays with its new owner.
    package func releaseLease() async {
        phase = .over
        gate.leave(self)
        guard !isLeaseLost, !isLeaseLeft, !isLeaseGivenBack else { return }
        isLeaseGivenBack = true
        do throws(HandOffError) {
            try await handOff.release(token, group: group, partition: partition)
        } catch {
            logger.notice("a lease could not be given back; it will lapse", metadata: ["error": "\(error)"])
        }
    }

    /// The lease is lost: everything ends where it stands.
    ///
    /// - Returns: how many lanes had in hand what they may not commit any more.
    @discardableResult
    package func abandon() -> Int {
        let late = lanes.values.count { !$0.pending.isEmpty }
        isLeaseLost = true
        cutShort()
        return late
    }

    /// A lane hangs: the lease is left to lapse, so that what it had in hand is suspected as after a crash (M3, H5).
    package func leaveHung() {
        isLeaseLeft = true
        cutShort()
    }

    /// Everything ends where it stands; what was not committed is for the next owner.
    package func cutShort() {
        guard phase != .over else { return }
        phase = .over
        cutSince = .now
        laneStartContinuation.finish()
        gate.leave(self)
        let open = lanes
        lanes = [:]
        for lane in open.values { lane.waiter?.resume() }
        let pending = pendingCommits
        pendingCommits = []
        for commit in pending { commit.continuation?.resume(returning: false) }
        wakeCommits()
    }

    /// Whether it reads, and its lanes go on.
    var isConsuming: Bool { phase == .consuming }

    /// Whether the lease was lost or given back.
    package var isOver: Bool { phase == .over }
}
