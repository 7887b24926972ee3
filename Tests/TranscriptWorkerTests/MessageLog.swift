import EarshotModel
import Synchronization

/// What was published for devices beside segments.
final class MessageLog: Sendable {
    private let state = Mutex<[LiveResult]>([])

    var results: [LiveResult] {
        get { state.withLock(\.self) }
        set { state.withLock { $0 = newValue } }
    }
}
