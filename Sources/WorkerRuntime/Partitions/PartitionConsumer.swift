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
    /// Crashes counted against entries, by `session@position`.
    let crashes: [String: Int]

    enum Phase {
        /// Reading and committing.
        case consuming
        /// Reading has stopped; lanes cut and end.
        case handingOver
        /// The lease is gone, or given back; nothing more may be written.
        case over
    }

    private(set) var phase = Phase.consuming
    var lanes: [LaneKey: LaneState] = [:]
    var tracker: PositionTracker
    /// The last entry read.
    var cursor: StreamPosition
    private var entriesSeen: UInt64
    var replay: ReplayPlan
    /// Lanes that ended for good; their entries are passed unseen. Bounded by `ignoredMaximum`.
    private var ignored: Set<LaneKey> = []
    private let ignoredMaximum = 10_000

    struct PendingCommit {
        let lane: Commit.Lane
        let key: LaneKey?
        let continuation: CheckedContinuation<Bool, Never>?
    }

    private var pendingCommits: Deque<PendingCommit> = []
    private var commitNumber: Int64 = 0
    private var committedPosition: Commit.Position
    private var commitWaiter: CheckedContinuation<Void, Never>?
    private var lastCommitAt: ContinuousClock.Instant = .now
    /// When a lane last absorbed or committed anything.
    private(set) var lastProgressAt: ContinuousClock.Instant = .now

    /// Keys of lanes whose tasks are to be started: one an open lane, so bounded by the partition's live sessions.
    private let (laneStarts, laneStartContinuation) = AsyncStream.makeStream(
        of: LaneKey.self, bufferingPolicy: .unbounded)

    /// A consumer of a granted lease.
    package init(
        partition: Partition, grant: Lease.Grant, group: WorkerGroup, routing: LaneRouting,
        factory: any LaneProcessorFactory, handOff: any HandOff, limits: Limits, metrics: WorkerMetrics,
        logger: Logger
    ) {
        self.partition = partition
        self.group = group
        self.routing = routing
        self.factory = factory
        self.handOff = handOff
        self.limits = limits
        self.metrics = metrics
        var logger = logger
        logger[metadataKey: "partition"] = "\(partition)"
        self.logger = logger
        self.token = grant.token
        self.crashes = grant.crashes
        self.tracker = PositionTracker(position: grant.position, entriesRead: grant.entriesRead)
        self.committedPosition = Commit.Position(position: grant.position, entriesRead: grant.entriesRead)
        self.cursor = grant.position
        self.entriesSeen = UInt64(max(0, grant.entriesRead))
        self.replay = ReplayPlan(mode: grant.mode, position: grant.position, horizon: grant.horizon)
    }

    /// Runs the lanes and the commits until the partition is handed over or lost.
    package func run() async {
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { await self.runCommits() }
            for await key in laneStarts {
                tasks.addTask { await LaneRunner(key: key, consumer: self).run() }
            }
        }
    }

    // MARK: From the reader

    /// Where the reader goes on, or `nil` while there is enough in hand.
    package var readCursor: StreamPosition? {
        guard phase == .consuming else { return nil }
        var bytes = 0
        var unabsorbed = 0
        for lane in lanes.values {
            unabsorbed += lane.unabsorbed
            if !lane.isWaiting && !lane.isHeldForReplay { bytes += lane.inboxBytes }
        }
        guard bytes < limits.partitionInFlightBytesMaximum, unabsorbed < limits.partitionUnabsorbedMaximum else {
            return nil
        }
        return cursor
    }

    /// Takes in entries that were read from the cursor on.
    package func deliver(_ entries: [StreamEntry]) {
        guard phase == .consuming else { return }
        for entry in entries where entry.position > cursor {
            cursor = entry.position
            let handle = tracker.append(entry.position)
            switch routing.route(entry, entriesSeen) {
            case .lane(let routed): deliver(routed, handle: handle)
            case .unwanted: tracker.pass(handle)
            case .unreadable(let reason):
                metrics.deadLetters.increment()
                logger.error("an entry cannot be read", metadata: ["entry": "\(entry.position)", "reason": "\(reason)"])
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

    private func deliver(_ routed: LaneEntry, handle: Int) {
        guard !ignored.contains(routed.lane) else {
            metrics.lateEntries.increment()
            tracker.pass(handle)
            return
        }
        let now = ContinuousClock.now
        var lane = lanes[routed.lane]
            ?? LaneState(now: now, isHeldForReplay: replay.holds(routed.lane, at: routed.entry.position))
        let isNew = lanes[routed.lane] == nil
        lane.pending.append(LaneState.Pending(handle: handle, nextSequence: routed.nextSequence))
        lane.unabsorbed += 1
        lane.lastEntryAt = now
        lane.wasToldIdle = false
        let bound = lane.isWaiting || lane.isHeldForReplay
            ? limits.waitingLaneEntriesMaximum : limits.laneInboxEntriesMaximum
        if lane.rereadAfter == nil {
            if lane.inbox.count < bound {
                lane.enqueue(routed)
            } else {
                lane.rereadAfter = lane.inbox.last?.entry.position ?? committedPosition.position
                metrics.rereads.increment()
            }
        }
        let waiter = lane.isHeldForReplay ? nil : lane.takeWaiter()
        lanes[routed.lane] = lane
        waiter?.resume()
        if isNew {
            metrics.lanesOpened.increment()
            laneStartContinuation.yield(routed.lane)
        }
    }

    // MARK: For the lanes' tasks

    /// Waits for what the lane does next.
    func nextInput(of key: LaneKey) async -> LaneInput {
        while true {
            if Task.isCancelled { return .close }
            switch phase {
            case .over: return .close
            case .handingOver: return .handOver
            case .consuming: break
            }
            guard var lane = lanes[key] else { return .close }
            if !lane.isHeldForReplay {
                if lane.wantsRelief {
                    lane.wantsRelief = false
                    lanes[key] = lane
                    return .relieve
                }
                if !lane.inbox.isEmpty {
                    let entries = lane.takeInbox(upTo: replay.isReplaying ? 1 : limits.readCount)
                    lanes[key] = lane
                    return .entries(entries)
                }
                if lane.rereadAfter != nil {
                    if await reread(key) { continue }
                    return .close
                }
                if let input = quietInput(of: key) { return input }
                if replay.isInHand(key), cursor >= replay.horizon { await finishReplay(of: key) }
            }
            await withCheckedContinuation { continuation in lanes[key]?.waiter = continuation }
        }
    }

    private func quietInput(of key: LaneKey) -> LaneInput? {
        guard let lane = lanes[key] else { return .close }
        let quiet = ContinuousClock.now - lane.lastEntryAt
        if !lane.wasToldIdle, quiet >= limits.laneIdle {
            lanes[key]?.wasToldIdle = true
            return .idle
        }
        if lane.wasToldIdle, lane.pending.isEmpty, quiet >= limits.laneClose, key != .stream {
            lanes[key] = nil
            return .close
        }
        return nil
    }

    /// Reads again what a lane's inbox had no room for.
    ///
    /// - Returns: false when the partition ended meanwhile.
    private func reread(_ key: LaneKey) async -> Bool {
        guard let after = lanes[key]?.rereadAfter else { return true }
        let entries: [StreamEntry]
        do throws(HandOffError) {
            entries = try await handOff.entries(
                of: routing.stream, in: partition, after: after, count: limits.laneInboxEntriesMaximum)
        } catch {
            await Backoff.dependency.pause(attempt: 2)
            return phase == .consuming
        }
        guard var lane = lanes[key], phase != .over else { return false }
        var last = after
        for entry in entries where entry.position <= cursor {
            last = entry.position
            if case .lane(let routed) = routing.route(entry, 0), routed.lane == key { lane.enqueue(routed) }
        }
        lane.rereadAfter = last >= cursor || entries.isEmpty ? nil : last
        lanes[key] = lane
        return true
    }

    /// Notes that entries were absorbed.
    func absorbed(_ count: Int, of key: LaneKey) {
        lastProgressAt = .now
        lanes[key]?.unabsorbed -= count
    }

    /// Marks a lane as waiting for a dependency, or as going on.
    func setWaiting(_ isWaiting: Bool, _ key: LaneKey) { lanes[key]?.isWaiting = isWaiting }

    func hold(bytes: Int, of key: LaneKey) {
        lanes[key]?.heldBytes = bytes
        let total = lanes.values.reduce(0) { $0 + $1.heldBytes }
        guard total > limits.partitionHeldBytesMaximum,
            let fullest = lanes.max(by: { $0.value.heldBytes < $1.value.heldBytes })
        else { return }
        metrics.reliefs.increment()
        lanes[fullest.key]?.wantsRelief = true
        lanes[fullest.key]?.takeWaiter()?.resume()
    }

    /// Starts a lane over from its last commit: what was absorbed since then is read again.
    func rewind(_ key: LaneKey, to next: UInt64) {
        guard var lane = lanes[key] else { return }
        advance(&lane, to: next)
        lane.inbox.removeAll()
        lane.inboxBytes = 0
        lane.heldBytes = 0
        lane.unabsorbed = lane.pending.count
        lane.rereadAfter = lane.pending.isEmpty ? nil : tracker.position.position
        lanes[key] = lane
    }

    /// A lane that opens again after a failure starts over; one that opens for the first time just passes what was had.
    func rewindIfReopened(_ key: LaneKey, to next: UInt64) {
        guard let lane = lanes[key] else { return }
        if lane.pending.count > lane.unabsorbed || lane.heldBytes > 0 {
            rewind(key, to: next)
        } else {
            skip(key, to: next)
        }
    }

    /// Passes what a lane no longer needs without a commit of its own, for entries that were had before.
    func skip(_ key: LaneKey, to next: UInt64) {
        guard var lane = lanes[key] else { return }
        advance(&lane, to: next)
        lanes[key] = lane
        wakeCommits()
    }

    /// Ends a lane for good: all its entries, now and later, are passed.
    func ignore(_ key: LaneKey) {
        if var lane = lanes[key] {
            metrics.lateEntries.increment(by: lane.pending.count)
            advance(&lane, to: .max)
            lanes[key] = nil
        }
        if ignored.count >= ignoredMaximum { ignored.removeAll() }
        ignored.insert(key)
        wakeCommits()
        releaseReplay(of: key)
    }

    /// Forgets a lane whose task ends.
    func close(_ key: LaneKey) { lanes[key] = nil }

    private func advance(_ lane: inout LaneState, to next: UInt64) {
        while let first = lane.pending.first, first.nextSequence <= next {
            tracker.pass(first.handle)
            lane.pending.removeFirst()
        }
    }

    // MARK: Commits

    /// Queues a lane's output and waits until it is durable.
    func commit(_ output: LaneOutput, of key: LaneKey) async throws(LaneFailure) {
        guard phase != .over else { throw .abandoned }
        var session: SessionID?
        if case .session(let id) = key { session = id }
        let lane = Commit.Lane(
            session: session, progress: output.progress, events: output.events, finals: output.finals)
        let isDurable = await withCheckedContinuation { continuation in
            pendingCommits.append(PendingCommit(lane: lane, key: key, continuation: continuation))
            wakeCommits()
        }
        guard isDurable else { throw .abandoned }
    }

    /// Gives up on an entry: it goes to the dead letters in a commit that passes it.
    func bury(_ entry: LaneEntry, reason: String, progress: LaneProgress) async throws(LaneFailure) {
        guard phase != .over else { throw .abandoned }
        metrics.deadLetters.increment()
        var session: SessionID?
        if case .session(let id) = entry.lane { session = id }
        let lane = Commit.Lane(
            session: session, progress: progress,
            deadLetters: [Commit.DeadLetter(entry: entry.entry, reason: reason)])
        let isDurable = await withCheckedContinuation { continuation in
            pendingCommits.append(PendingCommit(lane: lane, key: entry.lane, continuation: continuation))
            wakeCommits()
        }
        guard isDurable else { throw .abandoned }
    }

    func publish(_ result: LiveResult, to gateway: Incarnation) async {
        guard phase == .consuming else { return }
        do throws(HandOffError) {
            let isOurs = try await handOff.publish(
                result, to: gateway, token: token, group: group, partition: partition)
            if !isOurs { abandon() }
        } catch {
            metrics.interimsLost.increment()
        }
    }

    private func wakeCommits() {
        let waiter = commitWaiter
        commitWaiter = nil
        waiter?.resume()
    }

    private var isPositionDue: Bool {
        tracker.position != committedPosition
            && (phase != .consuming || ContinuousClock.now - lastCommitAt >= limits.positionCommitInterval)
    }

    private func runCommits() async {
        while phase != .over {
            if pendingCommits.isEmpty && !isPositionDue {
                if phase == .handingOver && lanes.isEmpty { return }
                await withCheckedContinuation { commitWaiter = $0 }
                continue
            }
            await commitOnce()
        }
    }

    private func commitOnce() async {
        let batch = Array(pendingCommits.prefix(limits.commitLanesMaximum))
        pendingCommits.removeFirst(batch.count)
        for pending in batch {
            guard let key = pending.key, var lane = lanes[key] else { continue }
            advance(&lane, to: pending.lane.progress.isDone ? .max : pending.lane.progress.next)
            lanes[key] = lane
        }
        let position = tracker.position
        let isDurable = await execute(
            Commit(
                group: group, stream: routing.stream, partition: partition, token: token, number: commitNumber + 1,
                position: position == committedPosition ? nil : position, lanes: batch.map(\.lane)))
        if isDurable {
            commitNumber += 1
            committedPosition = position
            lastCommitAt = .now
            lastProgressAt = .now
        }
        for pending in batch { pending.continuation?.resume(returning: isDurable) }
        if !isDurable { abandon() }
    }

    /// Repeats one commit until its outcome is known.
    private func execute(_ commit: Commit) async -> Bool {
        var attempt = 0
        while phase != .over {
            do throws(HandOffError) {
                switch try await handOff.commit(commit) {
                case .applied:
                    metrics.commits.increment()
                    return true
                case .repeated:
                    metrics.commitsRepeated.increment()
                    return true
                case .fenced, .outOfOrder:
                    metrics.commitsRefused.increment()
                    logger.notice("a commit was refused; the partition is another's")
                    return false
                }
            } catch {
                switch error.code {
                case .unavailable, .outOfMemory: break
                case .cancelled: return false
                case .refused, .malformedReply:
                    logger.error("a commit failed", metadata: ["error": "\(error)"])
                    return false
                }
            }
            attempt += 1
            await Backoff.dependency.pause(attempt: attempt)
            if Task.isCancelled { return false }
        }
        return false
    }

    // MARK: Lifetime

    /// A heartbeat: idle lanes, due positions, stalled work.
    package func tick() {
        let now = ContinuousClock.now
        for (key, lane) in lanes where lane.waiter != nil && !lane.isHeldForReplay {
            let quiet = now - lane.lastEntryAt
            guard lane.wasToldIdle ? quiet >= limits.laneClose : quiet >= limits.laneIdle else { continue }
            lanes[key]?.takeWaiter()?.resume()
        }
        if isPositionDue { wakeCommits() }
    }

    /// Whether there is work in hand that has not moved for too long, with nothing named to wait for.
    package var isStalled: Bool {
        guard ContinuousClock.now - lastProgressAt > limits.stallTimeout else { return false }
        return lanes.values.contains { !$0.isWaiting && !$0.isHeldForReplay && $0.unabsorbed > 0 }
    }

    /// Open lanes.
    package var laneCount: Int { lanes.count }

    /// Stops reading, makes every lane commit what it can, and gives the lease back.
    package func handOver() async {
        guard phase == .consuming else { return }
        phase = .handingOver
        laneStartContinuation.finish()
        for key in lanes.keys {
            lanes[key]?.takeWaiter()?.resume()
        }
        wakeCommits()
    }

    /// Gives the lease back after `run()` has ended; a lease that was lost stays with its new owner.
    package func releaseLease() async {
        guard phase != .over else { return }
        phase = .over
        do throws(HandOffError) {
            try await handOff.release(token, group: group, partition: partition)
        } catch {
            logger.notice("a lease could not be given back; it will lapse", metadata: ["error": "\(error)"])
        }
    }

    /// The lease is lost: everything ends where it stands.
    package func abandon() {
        guard phase != .over else { return }
        phase = .over
        laneStartContinuation.finish()
        for key in lanes.keys { lanes[key]?.takeWaiter()?.resume() }
        lanes = [:]
        let pending = pendingCommits
        pendingCommits = []
        for commit in pending { commit.continuation?.resume(returning: false) }
        wakeCommits()
    }

    /// Whether the lease was lost or given back.
    package var isOver: Bool { phase == .over }

    func laneEnded(_ key: LaneKey) {
        lanes[key] = nil
        wakeCommits()
    }
}
