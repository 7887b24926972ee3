import AudioStreams
import CoreMetrics
import EarshotModel
import Logging
import NIOCore
import NIOHTTP1

/// One event loop's share of the gateway: its sessions, its timer wheels, its appender.
///
/// Loops share nothing. All methods are called on the loop.
final class GatewayLoop {
    let index: Int
    let eventLoop: any EventLoop
    let appender: AudioAppender
    let configuration: GatewayConfiguration
    let metrics: GatewayMetrics
    let logger: Logger
    private let census: SessionCensus

    /// Registered sessions, by id, for live results.
    private var sessions: [SessionID: any LiveResultReceiver] = [:]
    /// Every connection after its upgrade; visited about once a second, spread over the ticks.
    private var visits: [[ObjectIdentifier: any GatewayConnection]]
    /// Sessions with a batch that comes due at a tick.
    private var due: [[SessionAudio]]
    private var tickCount = 0
    private var tickTask: RepeatedTask?
    private var lastTick = NIODeadline.now()
    /// The clocks, read once a tick: no clock is read for a message.
    private(set) var now = NIODeadline.now()
    private(set) var wallClock: Int64
    /// How late the last tick was.
    private(set) var delay: Duration = .zero
    var isDraining: Bool { drainage != nil }
    private(set) var isReading = false
    /// What an answer of Redis is worth; `nil` while that is not known of the server of this connection.
    private(set) var storeDurability: StoreDurability?
    /// Connections to Redis so far.
    private var storeCount = 0
    /// Whether every session has begun to compare itself with the Redis of this connection.
    private(set) var isStoreKnown = false
    /// Whether its connection to Redis has worked once.
    private(set) var hasReachedStore = false
    private var pausedAt: Int64?
    private var drainage: Drainage?
    /// Ends that Redis refused, oldest first: a session without an end would stay open for its groups.
    private var refusedEnds: [(ending: SessionEnding, partition: Partition)] = []
    /// Ends that Redis has taken lately.
    private var recentEnds: CircularBuffer<(at: NIODeadline, ending: SessionEnding, partition: Partition)> = []

    private var limits: Limits { configuration.limits }

    /// A drain, from its request on.
    private struct Drainage {
        let schedule: DrainSchedule
        let began: NIODeadline
        /// When the schedule by which devices come again begins.
        var returnsBegin: NIODeadline
        /// Those still to be closed, in no order.
        var waiting: [any GatewayConnection]
        /// `nil` once the loop is empty.
        var emptied: EventLoopPromise<Void>?
    }

    init(
        index: Int, eventLoop: any EventLoop, appender: AudioAppender, configuration: GatewayConfiguration,
        census: SessionCensus, metrics: GatewayMetrics, logger: Logger
    ) {
        self.index = index
        self.eventLoop = eventLoop
        self.appender = appender
        self.configuration = configuration
        self.census = census
        self.metrics = metrics
        self.logger = logger
        let ticks = { (duration: Duration) in max(1, Int(duration / configuration.limits.tick)) }
        visits = Array(repeating: [:], count: ticks(configuration.limits.visitInterval))
        due = Array(repeating: [], count: ticks(configuration.limits.batchDelay) + 1)
        wallClock = WallClock.microseconds
    }

    func start() {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        appender.onPressureChange = { pressure in bound.value.pressureChanged(pressure) }
        appender.start()
        tickTask = eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: TimeAmount(limits.tick)) { _ in
            bound.value.tick()
        }
    }

    // MARK: Time

    private func tick() {
        now = .now()
        wallClock = WallClock.microseconds
        let late = now - lastTick - TimeAmount(limits.tick)
        lastTick = now
        delay = .nanoseconds(max(0, late.nanoseconds))
        tickCount += 1
        let slot = tickCount % due.count
        let ready = due[slot]
        due[slot].removeAll(keepingCapacity: true)
        for session in ready { session.batchIsDue() }
        closeDrained()
        let visit = tickCount % visits.count
        for connection in visits[visit].values { connection.visit(at: now) }
        if visit == 0 {
            metrics.loopDelay.record(delay.inSeconds)
            repeatEnds()
        }
        appender.flush(at: now)
    }

    /// Calls `batchIsDue` after a time of at most the batch delay, in whole ticks.
    func scheduleBatch(of session: SessionAudio, after delay: TimeAmount) {
        let ticks = Int(delay.nanoseconds / TimeAmount(limits.tick).nanoseconds)
        due[(tickCount + min(max(1, ticks), due.count - 1)) % due.count].append(session)
    }

    // MARK: Sessions

    /// Takes in a connection after its upgrade.
    func opened(_ connection: any GatewayConnection) {
        visits[visitSlot(connection)][ObjectIdentifier(connection)] = connection
        stateCount()
    }

    private func visitSlot(_ connection: any GatewayConnection) -> Int {
        // Pointers are aligned: the low bits say nothing.
        Int(UInt(bitPattern: ObjectIdentifier(connection).hashValue) >> 5 % UInt(visits.count))
    }

    /// Makes a session reachable for live results.
    func registered(_ session: any LiveResultReceiver, as id: SessionID) { sessions[id] = session }

    /// Routes no more results of a session.
    func forget(_ id: SessionID) { sessions[id] = nil }

    /// Forgets a connection that is closed, and the session that got its live results.
    func closed(_ connection: any GatewayConnection, ids: [SessionID]) {
        visits[visitSlot(connection)][ObjectIdentifier(connection)] = nil
        for id in ids where sessions[id] === connection { sessions[id] = nil }
        stateCount()
        finishDrainIfEmpty()
    }

    private var connectionCount: Int { visits.reduce(0) { $0 + $1.count } }

    private func stateCount() {
        census.state(connectionCount, loop: index)
        metrics.sessions.record(census.total)
    }

    /// Whether the user's partition and rate allow one more session.
    func admit(_ user: UserID) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        // The store may go away right now: an upgrade waits for its answer as long as a batch would.
        let timeout = eventLoop.scheduleTask(in: TimeAmount(limits.appendReplyDelayMaximum)) {
            promise.fail(UpgradeRefusal.unavailable("redis", "the gateway cannot reach its store"))
        }
        let partition = Partition(of: user, count: configuration.partitions)
        appender.admit(user, in: partition, now: WallClock.microseconds) { result in
            timeout.cancel()
            switch result {
            case .success(.admitted): promise.succeed()
            case .success(.rateLimited):
                promise.fail(
                    UpgradeRefusal(
                        status: .tooManyRequests, reason: "rate",
                        message: "too many sessions were opened for this user",
                        retryAfter: 30))
            case .success(.backlogged):
                promise.fail(
                    UpgradeRefusal.unavailable(
                        "backlog", "audio of this user's partition waits to be processed", retryAfter: 30))
            case .failure:
                promise.fail(UpgradeRefusal.unavailable("redis", "the gateway cannot reach its store"))
            }
        }
        appender.flush(at: now)
        return promise.futureResult
    }

    /// Hands a live result to its session, if it is here.
    func deliver(_ result: LiveResult) {
        if result.kind == .taken {
            takeOver(result.session)
        } else {
            sessions[result.session]?.deliver(result)
        }
    }

    /// Another connection continues a session, which may be here.
    func takeOver(_ session: SessionID) { sessions[session]?.wasTaken(session) }

    /// Finals may have been missed: every session asks for those kept.
    func resubscribed() {
        for (id, session) in sessions { session.fetchFinals(of: id) }
    }

    /// Keeps an end that Redis refused; it is asked for again every second.
    func endWasRefused(_ ending: SessionEnding, in partition: Partition) {
        if refusedEnds.count >= limits.refusedEndsMaximum {
            refusedEnds.removeFirst()
            metrics.endsDropped.increment()
        }
        refusedEnds.append((ending, partition))
    }

    /// Remembers an end that Redis took: a server that comes back without its last writes has lost it, and nobody else
    /// would end the session while this gateway lives (protocol.md H10).
    func endWasTaken(_ ending: SessionEnding, in partition: Partition) {
        while let first = recentEnds.first,
            now - first.at > TimeAmount(limits.endsRemembered) || recentEnds.count >= limits.refusedEndsMaximum
        {
            recentEnds.removeFirst()
        }
        recentEnds.append((now, ending, partition))
    }

    private func repeatEnds() {
        let round = refusedEnds.prefix(limits.refusedEndsRepeated)
        refusedEnds.removeFirst(round.count)
        for (ending, partition) in round {
            metrics.endsRepeated.increment()
            appender.end(ending, in: partition) { [self] result in
                guard case .failure(let error) = result, error.code != .cancelled else { return }
                endWasRefused(ending, in: partition)
            }
        }
    }

    // MARK: Back-pressure

    private func pressureChanged(_ pressure: AudioAppender.Pressure?) {
        askDurability(pressure)
        let shouldRead = pressure == nil
        guard shouldRead != isReading else { return }
        isReading = shouldRead
        if shouldRead { hasReachedStore = true }
        if let pressure {
            metrics.pressure(pressure)
            pausedAt = WallClock.microseconds
            logger.notice("sockets are not read", metadata: ["cause": "\(pressure.rawValue)"])
        } else {
            logger.info("sockets are read")
        }
        let pause = shouldRead ? pausedAt.map { WallClock.microseconds - $0 } ?? 0 : 0
        for slot in visits { for connection in slot.values { connection.readingChanged(pause: pause) } }
    }

    /// Asks once a connection what an answer is worth (protocol.md H10).
    private func askDurability(_ pressure: AudioAppender.Pressure?) {
        guard pressure != .disconnected else {
            storeDurability = nil
            isStoreKnown = false
            storeCount += 1
            return
        }
        guard !isStoreKnown else { return }
        isStoreKnown = true
        appender.askDurability { [weak self, storeCount] durability in
            guard let self, self.storeCount == storeCount else { return }
            storeDurability = durability
        }
        for slot in visits { for connection in slot.values { connection.storeReturned() } }
        // Those that were refused stand nowhere yet: they keep their places.
        let room = max(0, limits.refusedEndsMaximum - refusedEnds.count)
        refusedEnds += recentEnds.suffix(room).map { ($0.ending, $0.partition) }
        recentEnds.removeAll()
    }

    // MARK: Drain

    /// Refuses new sessions, ends every session in slices, and completes when all of it is in Redis.
    ///
    /// - Parameter total: the sessions of the whole process, which share the drain's window.
    /// - Returns: succeeds when nothing is left.
    func drain(of total: Int) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        let waiting = visits.flatMap(\.values)
        drainage = Drainage(
            schedule: DrainSchedule(count: waiting.count, of: total, limits: limits), began: .now(),
            returnsBegin: .now(), waiting: waiting, emptied: promise)
        finishDrainIfEmpty()
        let bound = NIOLoopBound(appender, eventLoop: eventLoop)
        return promise.futureResult.flatMap { bound.value.whenIdle() }
    }

    /// Closes those whose turn it is.
    private func closeDrained() {
        guard var drainage, !drainage.waiting.isEmpty else { return }
        let elapsed = Duration.nanoseconds((now - drainage.began).nanoseconds)
        let left = drainage.schedule.count - drainage.schedule.due(after: elapsed)
        let closed = drainage.schedule.count - drainage.waiting.count
        let turn = drainage.waiting.suffix(max(0, drainage.waiting.count - left))
        drainage.waiting.removeLast(turn.count)
        let comesAgain = { (index: Int) in
            drainage.returnsBegin + TimeAmount(drainage.schedule.comesAgain(closed + index))
        }
        // A pause that is longer than the way to the first return moves them all.
        drainage.returnsBegin = drainage.returnsBegin + max(.zero, now - comesAgain(0))
        self.drainage = drainage
        for (index, connection) in turn.enumerated() { connection.drain(comingAgain: comesAgain(index)) }
    }

    private func finishDrainIfEmpty() {
        guard connectionCount == 0, let emptied = drainage?.emptied else { return }
        drainage?.emptied = nil
        emptied.succeed()
    }

    /// Stops the clock and closes what is left.
    func stop() {
        tickTask?.cancel()
        drainage?.waiting = []
        for slot in visits { for connection in slot.values { connection.abort() } }
        appender.close()
        drainage?.emptied?.succeed()
        drainage?.emptied = nil
    }
}
