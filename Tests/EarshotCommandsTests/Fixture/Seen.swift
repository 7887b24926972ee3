import Synchronization

@testable import EarshotCommands

/// Processes that a test saw inside a closure and looks at outside of it.
final class Seen: Sendable {
    private let state = Mutex<[ProcessIdentity]>([])

    var processes: [ProcessIdentity] { state.withLock(\.self) }

    func set(_ processes: [ProcessIdentity]) { state.withLock { $0 = processes } }
}
