import AudioStreams
import DequeModule
import EarshotModel

/// The order in which a partition is replayed after its owner lapsed: one lane at a time, so that a crash convicts one
/// entry and no bystander (protocol.md H5).
struct ReplayPlan {
    /// The last entry that the dead owner may have had.
    let horizon: StreamPosition
    private(set) var isReplaying: Bool
    private var waiting: Deque<LaneKey> = []
    private(set) var inHand: LaneKey?

    init(mode: Lease.Mode, position: StreamPosition, horizon: StreamPosition, hasParked: Bool = false) {
        self.horizon = horizon
        isReplaying = mode == .lapsed && (hasParked || horizon > position)
    }

    /// Whether a new lane must wait for its turn; the first one has it at once.
    mutating func holds(_ key: LaneKey, at position: StreamPosition) -> Bool {
        guard isReplaying, position <= horizon else { return false }
        guard inHand != nil else {
            inHand = key
            return false
        }
        waiting.append(key)
        return true
    }

    func isInHand(_ key: LaneKey) -> Bool { isReplaying && inHand == key }

    /// Gives a lane's turn to the first one that can use it; the lane waits behind all others.
    ///
    /// - Returns: the lane whose turn it is now, or `nil` when nobody can use it and nothing changed.
    mutating func pass(from key: LaneKey, to isReady: (LaneKey) -> Bool) -> LaneKey? {
        guard isInHand(key), let index = waiting.firstIndex(where: isReady) else { return nil }
        let next = waiting.remove(at: index)
        waiting.append(key)
        inHand = next
        return next
    }

    /// Ends a lane's turn.
    ///
    /// - Returns: the lane whose turn it is now.
    mutating func finish(_ key: LaneKey) -> LaneKey? {
        waiting.removeAll { $0 == key }
        guard inHand == key else { return nil }
        inHand = waiting.popFirst()
        return inHand
    }

    /// Ends the replay when the horizon is read and nobody waits.
    mutating func endIfThrough(cursor: StreamPosition) -> Bool {
        guard isReplaying, inHand == nil, waiting.isEmpty, cursor >= horizon else { return false }
        isReplaying = false
        return true
    }
}
