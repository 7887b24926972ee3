/// Where windows of a user's live audio are posted.
package struct AudioEndpoint: Codable, Equatable, Sendable {
    /// What happens while the receiver is slow.
    package enum Policy: String, Codable, Sendable, CaseIterable {
        /// Windows that were overtaken are skipped, counted, and announced with the next request.
        case latest
        /// Every window is delivered, however late.
        case all
    }

    /// The endpoint's id in Postgres.
    package var id: String
    package var url: String
    /// Signing keys that are valid now, newest first: `whsec_…` and `whsk_…`.
    package var secrets: [String]
    /// Further headers of every request.
    package var headers: [String: String]
    /// Length of a window.
    package var windowSeconds: Int
    package var policy: Policy

    /// Makes an endpoint.
    package init(
        id: String, url: String, secrets: [String], headers: [String: String] = [:], windowSeconds: Int = 5,
        policy: Policy = .latest
    ) {
        self.id = id
        self.url = url
        self.secrets = secrets
        self.headers = headers
        self.windowSeconds = windowSeconds
        self.policy = policy
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case url
        case secrets
        case headers
        case windowSeconds = "window_seconds"
        case policy
    }
}
