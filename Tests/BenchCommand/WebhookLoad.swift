import ArgumentParser
import EarshotModel
import WebhookDelivery

/// So many webhooks over so many connections.
struct WebhookLoad: Sendable {
    let url: String
    let connections: Int
    let requests: Int
    let bytes: Int

    var body: String { "{\"text\":\"" + String(repeating: "a", count: max(0, bytes - 11)) + "\"}" }

    func endpoint(of app: String) throws -> WebhookEndpoint {
        guard let owner = EndpointOwner.app(named: app) else { throw ValidationError("\(app) is no name") }
        var endpoint = WebhookEndpoint(
            id: .timeOrdered(at: WallClock.microseconds), owner: owner, url: url, events: [.transcriptSegments],
            secrets: [EndpointSecret(key: .newShared())])
        endpoint.concurrency = connections
        endpoint.rate = EndpointRules.rateRange.upperBound
        return endpoint
    }

    /// Signs and sends, without a database.
    func send(with sender: WebhookSender) async throws -> BenchReport {
        let (endpoint, body) = (try endpoint(of: "bench"), body)
        return try await BenchReport.measuring("webhooks", requests: requests, connections: connections) {
            try await LoadLoop(requests: requests, workers: connections).run {
                let now = WallClock.microseconds
                let delivery = ClaimedDelivery.test(of: endpoint, at: now)
                let outcome = await sender.send(OutgoingWebhook(delivery, body: body, now: now))
                guard outcome.verdict == .delivered else {
                    throw ValidationError("not delivered: \(outcome.log.error ?? "")")
                }
            }
        }
    }
}
