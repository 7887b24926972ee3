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
    /// Signing keys, newest first: `whsec_…` and `whsk_…`.
    package var secrets: [String]
    /// Until when each of them signs, in Unix µs; `nil`, or absent, for a key that was not rotated out.
    package var secretExpiries: [Int64?]
    /// Further headers of every request.
    package var headers: [String: String]
    /// Length of a window.
    package var windowSeconds: Int
    package var policy: Policy
    /// Requests at once, and a second.
    package var concurrency: Int
    package var rate: Int

    /// What an ordinary receiver stands.
    package static let concurrencyDefault = 8
    package static let rateDefault = 50

    /// Makes an endpoint.
    package init(
        id: String, url: String, secrets: [String], secretExpiries: [Int64?] = [], headers: [String: String] = [:],
        windowSeconds: Int = 5, policy: Policy = .latest, concurrency: Int = Self.concurrencyDefault,
        rate: Int = Self.rateDefault
    ) {
        self.id = id
        self.url = url
        self.secrets = secrets
        self.secretExpiries = secretExpiries
        self.headers = headers
        self.windowSeconds = windowSeconds
        self.policy = policy
        self.concurrency = concurrency
        self.rate = rate
    }

    /// Reads what was projected, by a version that said less, too.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        url = try values.decode(String.self, forKey: .url)
        secrets = try values.decode([String].self, forKey: .secrets)
        secretExpiries = try values.decodeIfPresent([Int64?].self, forKey: .secretExpiries) ?? []
        headers = try values.decode([String: String].self, forKey: .headers)
        windowSeconds = try values.decode(Int.self, forKey: .windowSeconds)
        policy = try values.decode(Policy.self, forKey: .policy)
        concurrency = try values.decodeIfPresent(Int.self, forKey: .concurrency) ?? Self.concurrencyDefault
        rate = try values.decodeIfPresent(Int.self, forKey: .rate) ?? Self.rateDefault
    }

    /// The keys that sign at a time, in Unix µs, newest first.
    package func secrets(at now: Int64) -> [String] {
        secrets.enumerated().filter { index, _ in
            guard secretExpiries.indices.contains(index), let expiry = secretExpiries[index] else { return true }
            return expiry > now
        }.map(\.element)
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case url
        case secrets
        case secretExpiries = "secret_expiries"
        case headers
        case windowSeconds = "window_seconds"
        case policy
        case concurrency
        case rate
    }
}
