import Synchronization

/// Something that happens once, and that any number of tasks may wait for.
///
/// The waiters are tasks of the supervisor's own, a handful for each child.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// Whether it has happened.
    var isOpen: Bool { state.withLock(\.isOpen) }

    /// Lets everybody through, from now on.
    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until it has happened, or the task is cancelled.
    func wait() async {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let passes = state.withLock { state in
                    // A task that was cancelled before this line finds nobody to wake it later.
                    if state.isOpen || Task.isCancelled { return true }
                    state.waiters[number] = continuation
                    return false
                }
                if passes { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }

    /// Waits for the first of: it has happened, the time is over, another gate is open, the task is cancelled.
    ///
    /// - Returns: Whether it has happened.
    @discardableResult
    func wait(atMost limit: Duration, orUntil other: Gate? = nil) async -> Bool {
        guard !isOpen else { return true }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            // Cancelled when one of the others is first.
            group.addTask { try? await ContinuousClock().sleep(for: limit) }
            if let other { group.addTask { await other.wait() } }
            await group.next()
            group.cancelAll()
        }
        return isOpen
    }
}
