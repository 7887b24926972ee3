import Synchronization

/// Whether native devices have said enough: their audio ends with the next message.
final class Enough: Sendable {
    private let state = Mutex(false)

    var isGiven: Bool { state.withLock(\.self) }

    func give() { state.withLock { $0 = true } }
}
