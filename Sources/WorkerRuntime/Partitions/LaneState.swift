import AudioStreams
import DequeModule
import EarshotModel
import NIOCore

/// What a partition's consumer keeps of one lane; only the consumer touches it.
struct LaneState {
    /// An entry that was read and not yet passed.
    struct Pending {
        let handle: Int
        let nextSequence: UInt64
    }

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
    /// Whether it waits for a dependency, or for its turn in a replay.
    var isWaiting = false
    var isHeldForReplay = false
    var wantsRelief = false
    var wasToldIdle = true
    var lastEntryAt: ContinuousClock.Instant
    var waiter: CheckedContinuation<Void, Never>?

    init(now: ContinuousClock.Instant, isHeldForReplay: Bool) {
        self.lastEntryAt = now
        self.isHeldForReplay = isHeldForReplay
    }

    mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
        defer { waiter = nil }
        return waiter
    }

    mutating func enqueue(_ entry: LaneEntry) {
        inbox.append(entry)
        inboxBytes += entry.entry.payload.readableBytes
    }

    mutating func takeInbox(upTo count: Int) -> [LaneEntry] {
        let taken = Array(inbox.prefix(count))
        inbox.removeFirst(taken.count)
        inboxBytes -= taken.reduce(0) { $0 + $1.entry.payload.readableBytes }
        return taken
    }
}
