package import EarshotModel
import Synchronization

/// The endpoints of the owners a worker meets: looked up once, kept for a while, forgotten on notice.
///
/// One look-up is in flight per owner; callers that come meanwhile wait for it. A notice that comes during a look-up
/// voids its answer for later callers.
package actor EndpointDirectory {
    private struct Entry {
        let endpoints: [WebhookEndpoint]
        let readAt: ContinuousClock.Instant
    }

    private let lookUp: @Sendable (UserID) async throws(WebhookError) -> [WebhookEndpoint]
    private let limits: DeliveryLimits
    private var entries: [UserID: Entry] = [:]
    private var waiting: [UserID: [CheckedContinuation<Void, Never>]] = [:]
    /// Owners whose look-up in flight was overtaken by a notice.
    private var voided: Set<UserID> = []

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
            if let entry = entries[user], ContinuousClock.now - entry.readAt < limits.ownerAge {
                return entry.endpoints
            }
            guard waiting[user] != nil else { return try await read(user) }
            await withCheckedContinuation { waiting[user, default: []].append($0) }
        }
    }

    private func read(_ user: UserID) async throws(WebhookError) -> [WebhookEndpoint] {
        waiting[user] = []
        defer { for waiter in waiting.removeValue(forKey: user) ?? [] { waiter.resume() } }
        let readAt = ContinuousClock.now
        voided.remove(user)
        let endpoints = try await lookUp(user)
        if !voided.contains(user) {
            makeRoom()
            entries[user] = Entry(endpoints: endpoints, readAt: readAt)
        }
        voided.remove(user)
        return endpoints
    }

    /// Forgets a user's endpoints: they changed.
    package func forget(_ user: UserID) {
        entries[user] = nil
        if waiting[user] != nil { voided.insert(user) }
    }

    /// Forgets an eighth of the owners, those looked up first, so that making room is rare.
    private func makeRoom() {
        guard entries.count >= limits.ownersMaximum else { return }
        let oldest = entries.sorted { $0.value.readAt < $1.value.readAt }.prefix(max(1, limits.ownersMaximum / 8))
        for (user, _) in oldest { entries[user] = nil }
    }
}
