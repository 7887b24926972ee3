import EarshotClient
import Synchronization

/// Sees the words of one device as they come.
final class WordWatch: Sendable {
    private let state = Mutex(Set<String>())

    /// How many segments came so far, interim ones too.
    var segmentCount: Int { state.withLock(\.count) }

    /// What a device session tells.
    var observe: @Sendable (DeviceObservation) -> Void {
        { observation in
            guard case .segments(let segments) = observation else { return }
            self.state.withLock { $0.formUnion(segments.map(\.id)) }
        }
    }
}
