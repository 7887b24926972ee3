import AudioStreams
import DequeModule
import EarshotModel
import NIOCore

/// What a partition's consumer keeps of one lane; only the consumer touches it.
struct LaneState {
    /// An entry that was read and not yet passed.
    struct Pending {
        let handle: Int
        let position: StreamPosition
        /// Its count in the stream, as it was routed.
        let number: UInt64
        let nextSequence: UInt64
    }

    /// Tells this opening of the key from an earlier one.
    let number: Int
    /// Read and not passed, in the order of the stream.
    var pending: Deque<Pending> = []
    /// Entries that wait for the lane's task, oldest first.
    var inbox: Deque<LaneEntry> = []
    var inboxBytes = 0
    /// Set while payloads are dropped: everything behind this position is read again.
    var rereadAfter: StreamPosition?
    /// Entries known but not absorbed, in the inbox or to be read again.
    var unabsorbed = 0
    /// Bytes absorbed and not committed.
    var heldBytes = 0
    /// Whether it pauses because of a dependency, or waits for the gate of replays.
    var isWaiting = false
    /// The dependency that its attempts have failed for since its last commit, and since when.
    var dependency: (name: String, since: ContinuousClock.Instant)?
    /// Since when its processor has been called without a commit, a failure or its return.
    var callSince: ContinuousClock.Instant?
    /// What it has parked; its entries in the stream come behind that.
    var parking: LaneParking?
    /// The lane before it, of the session that it continues, while it waits for that one to be through.
    var predecessor: LaneKey?
    /// Whether it waits for its turn in a replay.
    var isHeldForReplay = false
    var wantsRelief = false
    /// Whether the lane's task has begun before: what it was handed since its last commit must be read again.
    var hasOpened = false
    /// The lowest frame number that the last commit left needed.
    var committedNext: UInt64 = 0
    /// When its processor wants to be called next, and whether a heartbeat found that this has come.
    var wakeAt: ContinuousClock.Instant?
    var isWakeDue = false
    var wasToldIdle = true
    var lastEntryAt: ContinuousClock.Instant
    var waiter: CheckedContinuation<Void, Never>?

    init(number: Int, now: ContinuousClock.Instant, isHeldForReplay: Bool) {
        self.number = number
        self.lastEntryAt = now
        self.isHeldForReplay = isHeldForReplay
    }

    mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
        defer { waiter = nil }
        return waiter
    }

    /// Whether it has entries that it did not pass.
    var hasWork: Bool { !pending.isEmpty || parking != nil }

    /// The oldest entry that was not passed; of a lane that committed nothing, its first.
    var firstEntry: StreamPosition? { parking?.first ?? pending.first?.position }

    /// Whether its processor wants to be called and may be.
    func isDue(at now: ContinuousClock.Instant) -> Bool {
        guard let wakeAt, !isWaiting, !isHeldForReplay else { return false }
        return wakeAt <= now
    }

    /// Gives back what was not passed: it is read again.
    mutating func emptyInbox() {
        inbox.removeAll()
        inboxBytes = 0
        parking?.restart()
        rereadAfter = pending.first?.position.predecessor
        unabsorbed = pending.count
    }

    /// Drops what was passed before the lane's task began.
    ///
    /// - Returns: how many entries that were.
    mutating func dropPassed() -> Int {
        let passed = inbox.prefix { entry in pending.first.map { entry.entry.position < $0.position } ?? true }
        _ = takeInbox(upTo: passed.count)
        unabsorbed = pending.count
        return passed.count
    }

    mutating func enqueue(_ entry: LaneEntry) {
        inbox.append(entry)
        inboxBytes += entry.entry.payload.readableBytes
    }

    /// The entry at a position, if it was not passed.
    func pending(at position: StreamPosition) -> Pending? {
        var low = 0
        var high = pending.count
        while low < high {
            let middle = (low + high) / 2
            if pending[middle].position < position { low = middle + 1 } else { high = middle }
        }
        return low < pending.count && pending[low].position == position ? pending[low] : nil
    }

    mutating func takeInbox(upTo count: Int) -> [LaneEntry] {
        let taken = Array(inbox.prefix(count))
        inbox.removeFirst(taken.count)
        inboxBytes -= taken.reduce(0) { $0 + $1.entry.payload.readableBytes }
        return taken
    }
}
