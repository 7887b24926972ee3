/// Decides who gets which connection; does nothing itself.
///
/// Connections are held by nobody (idle) or by a caller (leased, or being opened by it: a slot). A caller that finds
/// neither waits, first come first served. What is freed goes to the first waiter at once: a connection as it is, a
/// slot as the permission to open one. So there are idle connections or waiters, never both.
struct PoolStateMachine<Connection> {
    /// A caller that waits.
    typealias WaiterID = UInt64

    /// What a caller gets.
    enum Acquisition {
        /// An idle connection, to be checked; if it is dead or too old the caller closes it and uses the slot.
        case use(Connection, idleSince: ContinuousClock.Instant)
        /// The right to open one connection.
        case open
        /// A place in the queue under the caller's id.
        case wait
        /// Too many wait already.
        case refuseFull
        /// The pool was shut down.
        case refuseClosed
    }

    /// What becomes of a connection that is given back.
    enum Release {
        /// It is idle now.
        case keep
        /// The waiter gets it.
        case hand(to: WaiterID)
        /// It is to be closed, and the waiter, if any, gets its slot.
        case close(slotTo: WaiterID?)
    }

    /// What is left when the pool shuts down.
    struct Remains {
        let idle: [Connection]
        let waiters: [WaiterID]
    }

    private struct Idle {
        let connection: Connection
        let since: ContinuousClock.Instant
        let retiresAt: ContinuousClock.Instant
    }

    private let maximumConnections: Int
    private let maximumWaiters: Int
    /// The longest idle comes first, the next to be used last, so that an unneeded connection stays idle until it is
    /// closed.
    private var idle: [Idle] = []
    private var leasedCount = 0
    private var waiters: [WaiterID] = []
    private var isClosed = false

    init(maximumConnections: Int, maximumWaiters: Int) {
        self.maximumConnections = max(1, maximumConnections)
        self.maximumWaiters = max(1, maximumWaiters)
    }

    /// Connections there are, also those being opened.
    var openCount: Int { idle.count + leasedCount }
    var idleCount: Int { idle.count }
    var waitingCount: Int { waiters.count }

    /// When the first idle connection is to be closed.
    var nextRetirement: ContinuousClock.Instant? { idle.lazy.map(\.retiresAt).min() }

    /// A caller wants a connection.
    mutating func acquire(_ waiter: WaiterID) -> Acquisition {
        guard !isClosed else { return .refuseClosed }
        if let last = idle.popLast() {
            leasedCount += 1
            return .use(last.connection, idleSince: last.since)
        }
        if openCount < maximumConnections {
            leasedCount += 1
            return .open
        }
        guard waiters.count < maximumWaiters else { return .refuseFull }
        waiters.append(waiter)
        return .wait
    }

    /// A caller gives its connection back; `isReusable` false means that it is to be closed.
    mutating func release(
        _ connection: Connection, isReusable: Bool, retiresAt: ContinuousClock.Instant, idleMaximum: Duration,
        at now: ContinuousClock.Instant
    ) -> Release {
        guard isReusable, !isClosed, now < retiresAt else { return .close(slotTo: freeSlot()) }
        // The connection stays leased and only changes hands.
        guard waiters.isEmpty else { return .hand(to: waiters.removeFirst()) }
        leasedCount -= 1
        idle.append(Idle(connection: connection, since: now, retiresAt: min(retiresAt, now + idleMaximum)))
        return .keep
    }

    /// A caller could not open its connection, or closed it: returns the waiter that gets the slot.
    mutating func freeSlot() -> WaiterID? {
        precondition(leasedCount > 0, "a connection was given back twice")
        guard waiters.isEmpty else { return waiters.removeFirst() }
        leasedCount -= 1
        return nil
    }

    /// A waiter gives up; returns false when it was served in the meantime.
    mutating func abandon(_ waiter: WaiterID) -> Bool {
        guard let index = waiters.firstIndex(of: waiter) else { return false }
        waiters.remove(at: index)
        return true
    }

    /// Takes out the connections that are idle for too long or too old; the caller closes them.
    mutating func retire(at now: ContinuousClock.Instant) -> [Connection] {
        let retired = idle.filter { $0.retiresAt <= now }
        idle.removeAll { $0.retiresAt <= now }
        return retired.map(\.connection)
    }

    /// Refuses everybody from now on; leased connections are closed as they come back.
    mutating func shutDown() -> Remains {
        let remains = Remains(idle: idle.map(\.connection), waiters: waiters)
        isClosed = true
        idle = []
        waiters = []
        return remains
    }
}
