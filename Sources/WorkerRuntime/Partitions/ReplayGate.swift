import Synchronization

/// Lets one partition of a process at a time touch entries that are suspected of having killed a process.
///
/// A process that dies has one entry in hand in each partition it replays. Where a crash was counted before, partitions
/// take turns, so that the next one is counted against its cause alone (protocol.md H5).
package final class ReplayGate: Sendable {
    private struct State {
        var holder: ObjectIdentifier?
        var waiting: [(id: ObjectIdentifier, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    /// An open gate.
    package init() {}

    /// Whether a partition has the gate.
    func holds(_ consumer: PartitionConsumer) -> Bool {
        state.withLock { $0.holder == ObjectIdentifier(consumer) }
    }

    /// Waits for the gate; returns early, without it, when `leave` is called for the same partition.
    func enter(_ consumer: PartitionConsumer) async {
        let id = ObjectIdentifier(consumer)
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard let holder = state.holder, holder != id else {
                    state.holder = id
                    return true
                }
                state.waiting.append((id, continuation))
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    /// Gives the gate to who waits longest, or ends the partition's own wait.
    func leave(_ consumer: PartitionConsumer) {
        let id = ObjectIdentifier(consumer)
        let woken = state.withLock { state in
            var woken = state.waiting.filter { $0.id == id }.map(\.continuation)
            state.waiting.removeAll { $0.id == id }
            guard state.holder == id else { return woken }
            state.holder = nil
            if let next = state.waiting.first {
                state.waiting.removeFirst()
                state.holder = next.id
                woken.append(next.continuation)
            }
            return woken
        }
        for continuation in woken { continuation.resume() }
    }
}
