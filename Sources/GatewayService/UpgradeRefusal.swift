import NIOHTTP1

/// An HTTP answer instead of an upgrade.
struct UpgradeRefusal: Error {
    let status: HTTPResponseStatus
    /// A closed set, for the metric.
    let reason: String
    let message: String
    var retryAfter: Int?

    static func notFound() -> UpgradeRefusal {
        UpgradeRefusal(
            status: .notFound, reason: "path",
            message: "no such path; allowed: \(ListenPath.allCases.map(\.rawValue).joined(separator: " "))")
    }

    static func unavailable(_ reason: String, _ message: String, retryAfter: Int = 5) -> UpgradeRefusal {
        UpgradeRefusal(status: .serviceUnavailable, reason: reason, message: message, retryAfter: retryAfter)
    }
}

/// The doors of a gateway.
enum ListenPath: String, CaseIterable {
    /// Authenticated by header.
    case listen = "/v4/listen"
    /// Authenticated by the first message.
    case web = "/v4/web/listen"
    /// The native endpoint, with acknowledgements and resumes (docs/protocol.md).
    case stream = "/v1/stream"
    /// A listen back end, authenticated by a service key.
    case backend = "/v1/trigger/listen"
}
