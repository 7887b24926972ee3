import AudioStreams
import EarshotModel
import Synchronization

/// The leases a coordinator has, as its two loops know them: one keeps them, the other acts under them.
final class LeaseBook: Sendable {
    private let current = Mutex<[Partition: FencingToken]>([:])

    /// What holds now; an action under a lease that was lost since is refused where it acts.
    var tokens: [Partition: FencingToken] { current.withLock { $0 } }

    func replace(_ tokens: [Partition: FencingToken]) { current.withLock { $0 = tokens } }
}
