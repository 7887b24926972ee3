import EarshotModel
import WebhookDelivery

/// An endpoint as `earshot endpoint` shows it: without secrets, and without the values of headers and query.
struct ShownEndpoint: Encodable {
    let endpointID: String
    let ownerKind: String
    let owner: String
    let url: String
    let events: [String]
    let dialect: String
    let state: String
    let reason: String?
    /// When it was disabled.
    let disabledAt: String?
    let strict: Bool
    let rate: Int
    let concurrency: Int
    let windowSeconds: Int
    let policy: String
    let headers: [String]
    let keys: Keys
    let createdAt: String

    struct Keys: Encodable {
        let shared: Int
        let ed25519: Int
    }

    init(_ endpoint: WebhookEndpoint) {
        endpointID = endpoint.id.description
        ownerKind = endpoint.owner.kind
        owner = endpoint.owner.name
        url = URLQuery.withoutSecrets(endpoint.url)
        events = endpoint.events.map(\.rawValue)
        dialect = endpoint.dialect.rawValue
        state = endpoint.state.rawValue
        reason = endpoint.reason
        disabledAt = endpoint.state == .disabled ? ISOTime.text(endpoint.changedAt) : nil
        strict = endpoint.isStrict
        rate = endpoint.rate
        concurrency = endpoint.concurrency
        windowSeconds = endpoint.windowSeconds
        policy = endpoint.audioPolicy.rawValue
        headers = endpoint.headers.keys.sorted()
        let good = endpoint.keys(at: WallClock.microseconds)
        keys = Keys(shared: good.filter { !$0.isEd25519 }.count, ed25519: good.filter(\.isEd25519).count)
        createdAt = ISOTime.text(endpoint.createdAt)
    }
}
