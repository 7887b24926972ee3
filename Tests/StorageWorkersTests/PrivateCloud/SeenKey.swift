import AudioStorage
import Synchronization

/// The last key that was seen.
final class SeenKey: Sendable {
    private let state = Mutex<ObjectKey?>(nil)

    var key: ObjectKey? { state.withLock { $0 } }

    func set(_ key: ObjectKey) { state.withLock { $0 = key } }
}
