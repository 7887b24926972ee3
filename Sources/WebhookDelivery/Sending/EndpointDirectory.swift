package import EarshotModel

/// The endpoints of the owners a worker meets: looked up once, kept for a while, forgotten on notice.
package struct EndpointDirectory: Sendable {
    private let lookUp: @Sendable (UserID) async throws(WebhookError) -> [WebhookEndpoint]
    private let known: UserCache<[WebhookEndpoint]>

    /// A directory over a look-up in the database.
    package init(
        limits: DeliveryLimits, lookUp: @escaping @Sendable (UserID) async throws(WebhookError) -> [WebhookEndpoint]
    ) {
        self.lookUp = lookUp
        known = UserCache(age: limits.ownerAge, maximum: limits.ownersMaximum)
    }

    /// The endpoints that get a user's events.
    package func endpoints(of user: UserID) async throws(WebhookError) -> [WebhookEndpoint] {
        try await known.value(of: user) { () async throws(WebhookError) in try await lookUp(user) }
    }

    /// Forgets a user's endpoints, which changed; everybody's when notices may have been missed.
    package func forget(_ user: UserID?) { known.forget(user) }
}
