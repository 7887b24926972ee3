import Logging
import Synchronization

/// Keeps `state.json` in step with what is running.
final class FleetStateStore: Sendable {
    private let path: String
    private let logger: Logger
    private let state: Mutex<FleetState>

    init(path: String, initial: FleetState, logger: Logger) {
        self.path = path
        self.logger = logger
        state = Mutex(initial)
    }

    /// Changes the state, and writes it when that made a difference.
    func update(_ change: (inout FleetState) -> Void) {
        // Written under the lock: of two changes the later one must be the one on disk.
        state.withLock { state in
            let before = state
            change(&state)
            guard state != before else { return }
            do {
                try state.write(path)
            } catch {
                logger.error("state not written", metadata: ["state.file": "\(path)", "error": "\(error)"])
            }
        }
    }
}
