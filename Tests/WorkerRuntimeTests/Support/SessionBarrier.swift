import EarshotModel
import Synchronization
import TestSupport
import WorkerRuntime

/// Refuses the frames of some sessions, as if what they need were away, until it is opened.
final class SessionBarrier: Sendable {
    private let closed: Mutex<Set<SessionID>>

    init(for sessions: [SessionID]) { closed = Mutex(Set(sessions)) }

    func open() { closed.withLock { $0 = [] } }

    func pass(_ session: SessionID) throws {
        guard closed.withLock({ $0.contains(session) }) else { return }
        throw LaneFailure.dependency(name: "test", reason: "closed")
    }

    /// Byte counters behind it.
    var factory: ByteCounter.Factory {
        ByteCounter.Factory(bytesPerEvent: 60) { session, _ in try self.pass(session) }
    }
}
