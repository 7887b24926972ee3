import WebhookDelivery

/// An attempt as `earshot delivery show` and `earshot endpoint test` show it.
struct ShownAttempt: Encodable {
    let at: String
    let milliseconds: Int64
    let status: Int?
    let error: String?
    let remote: String?
    let response: String?

    init(_ log: AttemptLog) {
        at = ISOTime.text(log.at)
        milliseconds = log.milliseconds
        status = log.status
        error = log.error
        remote = log.remote
        response = log.response
    }
}
