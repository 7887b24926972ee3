package import EarshotModel

/// Where deliveries go, and how.
package struct WebhookEndpoint: Equatable, Sendable {
    /// Whether it gets anything.
    package enum State: String, Sendable, CaseIterable {
        case enabled
        case disabled
    }

    package var id: UniqueID
    package var owner: EndpointOwner
    package var url: String
    package var events: [WebhookEventType]
    package var dialect: WebhookDialect
    /// Whether a lane waits for a failing delivery however long it takes.
    package var isStrict: Bool
    /// Requests at once, in the whole fleet.
    package var concurrency: Int
    /// Requests a second, in the whole fleet.
    package var rate: Int
    /// Further headers of every request.
    package var headers: [String: String]
    /// Live audio: seconds in a request, and what happens while the receiver is slow.
    package var windowSeconds: Int
    package var audioPolicy: AudioEndpoint.Policy
    package var state: State
    /// Why it is disabled.
    package var reason: String?
    /// Signing keys, newest first, expired ones included until somebody cleans up.
    package var secrets: [EndpointSecret]
    /// Unix µs.
    package var createdAt: Int64
    package var changedAt: Int64

    /// Makes an enabled endpoint with the default settings.
    package init(
        id: UniqueID, owner: EndpointOwner, url: String, events: [WebhookEventType],
        dialect: WebhookDialect = .standard, secrets: [EndpointSecret] = [], createdAt: Int64 = 0
    ) {
        self.id = id
        self.owner = owner
        self.url = url
        self.events = events
        self.dialect = dialect
        self.isStrict = false
        self.concurrency = Self.concurrencyDefault
        self.rate = Self.rateDefault
        self.headers = [:]
        self.windowSeconds = Self.windowSecondsDefault
        self.audioPolicy = .latest
        self.state = .enabled
        self.secrets = secrets
        self.createdAt = createdAt
        self.changedAt = createdAt
    }

    /// What an ordinary receiver stands.
    package static let concurrencyDefault = AudioEndpoint.concurrencyDefault
    package static let rateDefault = AudioEndpoint.rateDefault
    /// The contract's window of live audio (omi.md 4.2).
    package static let windowSecondsDefault = 5

    /// Keys that are good at a time, in Unix µs, newest first.
    package func keys(at now: Int64) -> [SigningKey] {
        secrets.filter { $0.expiresAt.map { $0 > now } ?? true }.map(\.key)
    }
}
