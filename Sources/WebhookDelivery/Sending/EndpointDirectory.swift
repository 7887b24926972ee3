package import EarshotModel
import Synchronization

/// The endpoints of the owners a worker meets: looked up once, kept for a while, forgotten on notice.
///
/// One look-up is in flight per owner; callers that come meanwhile wait for it. A notice that comes during a look-up
/// voids its answer for later callers.
package final class EndpointDirectory: Sendable {
    private struct Entry {
        let endpoints: [WebhookEndpoint]
        let readAt: ContinuousClock.Instant
    }

    private struct State {
        var entries: [UserID: Entry] = [:]
        /// Owners being looked up, with those who wait for it.
        var waiting: [UserID: [CheckedContinuation<Void, Never>]] = [:]
        /// Grows with every notice: what was read before it may be old already.
        var generation: UInt64 = 0
    }

    private enum Step {
        case known([WebhookEndpoint])
        case look(generation: UInt64)
        case wait
    }

    private let lookUp: @Sendable (UserID) async throws(WebhookError) -> [WebhookEndpoint]
    private let limits: DeliveryLimits
    private let state = Mutex(State())

    /// A directory over a look-up in the database.
    package init(
        limits: DeliveryLimits, lookUp: @escaping @Sendable (UserID) async throws(WebhookError) -> [WebhookEndpoint]
    ) {
        self.limits = limits
        self.lookUp = lookUp
    }

    /// The endpoints that get a user's events.
    package func endpoints(of user: UserID) async throws(WebhookError) -> [WebhookEndpoint] {
        while true {
            switch next(for: user) {
            case .known(let endpoints): return endpoints
            case .look(let generation): return try await read(user, generation)
            case .wait: await waitForLookUp(of: user)
            }
        }
    }

    private func next(for user: UserID) -> Step {
        state.withLock { state in
            if let entry = state.entries[user], ContinuousClock.now - entry.readAt < limits.ownerAge {
                return .known(entry.endpoints)
            }
            guard state.waiting[user] == nil else { return .wait }
            state.waiting[user] = []
            return .look(generation: state.generation)
        }
    }

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

    private func read(_ user: UserID, _ generation: UInt64) async throws(WebhookError) -> [WebhookEndpoint] {
        let readAt = ContinuousClock.now
        var found: [WebhookEndpoint]?
        defer {
            let waiters = state.withLock { state in
                if let found, state.generation == generation {
                    makeRoom(in: &state)
                    state.entries[user] = Entry(endpoints: found, readAt: readAt)
                }
                return state.waiting.removeValue(forKey: user) ?? []
            }
            for waiter in waiters { waiter.resume() }
        }
        let endpoints = try await lookUp(user)
        found = endpoints
        return endpoints
    }

    /// Forgets a user's endpoints, which changed; everybody's when notices may have been missed.
    package func forget(_ user: UserID?) {
        state.withLock { state in
            state.generation += 1
            if let user { state.entries[user] = nil } else { state.entries = [:] }
        }
    }

    /// Forgets an eighth of the owners, those looked up first, so that making room is rare.
    private func makeRoom(in state: inout State) {
        guard state.entries.count >= limits.ownersMaximum else { return }
        let oldest = state.entries.sorted { $0.value.readAt < $1.value.readAt }
        for (user, _) in oldest.prefix(max(1, limits.ownersMaximum / 8)) { state.entries[user] = nil }
    }
}
