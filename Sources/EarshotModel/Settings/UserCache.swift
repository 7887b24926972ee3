import Synchronization

/// What a process knows of the users it meets: looked up once, kept for a while, forgotten on notice.
///
/// One look-up of a user is under way at a time; whoever else wants it waits for its answer. A notice that comes during
/// a look-up voids its answer for later callers.
package final class UserCache<Value: Sendable>: Sendable {
    private struct Entry {
        let value: Value
        let readAt: ContinuousClock.Instant
    }

    private struct State {
        var entries: [UserID: Entry] = [:]
        /// Users being looked up, with those who wait for it: a user's lanes, a few.
        var waiting: [UserID: [CheckedContinuation<Void, Never>]] = [:]
        /// Grows with every notice: what was read before it may be old already.
        var generation: UInt64 = 0
    }

    private enum Step {
        case known(Value)
        case look(generation: UInt64)
        case wait
    }

    private let age: Duration
    private let maximum: Int
    private let state = Mutex(State())

    /// An empty cache.
    ///
    /// - Parameters:
    ///   - age: how long a value is kept without a notice.
    ///   - maximum: users that are kept.
    package init(age: Duration, maximum: Int) {
        self.age = age
        self.maximum = maximum
    }

    /// What is known of a user, or what the look-up finds; its failure is told to this caller and not kept.
    package func value<Failure: Error>(
        of user: UserID, lookUp: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        while true {
            switch next(for: user) {
            case .known(let value): return value
            case .look(let generation): return try await read(user, generation, lookUp)
            case .wait: await waitForLookUp(of: user)
            }
        }
    }

    private func next(for user: UserID) -> Step {
        state.withLock { state in
            if let entry = state.entries[user], ContinuousClock.now - entry.readAt < age { return .known(entry.value) }
            guard state.waiting[user] == nil else { return .wait }
            state.waiting[user] = []
            return .look(generation: state.generation)
        }
    }

    /// Waits until the look-up under way has ended, as it does within its own time-out.
    private func waitForLookUp(of user: UserID) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.waiting[user] != nil else { return true }
                state.waiting[user]?.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    private func read<Failure: Error>(
        _ user: UserID, _ generation: UInt64, _ lookUp: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let readAt = ContinuousClock.now
        var found: Value?
        defer {
            let waiters = state.withLock { state in
                if let found, state.generation == generation {
                    makeRoom(in: &state)
                    state.entries[user] = Entry(value: found, readAt: readAt)
                }
                return state.waiting.removeValue(forKey: user) ?? []
            }
            for waiter in waiters { waiter.resume() }
        }
        let value = try await lookUp()
        found = value
        return value
    }

    /// Forgets a user, of whom something changed; everybody when notices may have been missed.
    package func forget(_ user: UserID?) {
        state.withLock { state in
            state.generation += 1
            if let user { state.entries[user] = nil } else { state.entries = [:] }
        }
    }

    /// Forgets an eighth of the users, those looked up first, so that making room is rare.
    private func makeRoom(in state: inout State) {
        guard state.entries.count >= maximum else { return }
        let oldest = state.entries.sorted { $0.value.readAt < $1.value.readAt }
        for (user, _) in oldest.prefix(max(1, maximum / 8)) { state.entries[user] = nil }
    }
}
