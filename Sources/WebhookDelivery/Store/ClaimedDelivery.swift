package import EarshotModel

/// A delivery that this process may attempt until its claim runs out.
package struct ClaimedDelivery: Equatable, Sendable {
    package var id: UniqueID
    /// Proves the claim; a record with another one changes nothing (protocol.md M7).
    package var claim: UniqueID
    package var endpoint: WebhookEndpoint
    package var event: UniqueID
    package var type: WebhookEventType
    package var uid: String
    package var conversation: String
    /// Its number in its lane, from 1.
    package var sequence: Int64
    /// `nil` while it waits for the record; then `source` is the event.
    package var body: String?
    package var source: String?
    package var attempts: Int
    package var failures: Int
    /// How long ago it was created.
    package var age: Duration
}

extension ClaimedDelivery {
    /// The signed test of an endpoint, in its dialect; it stands in the database once `recordTest` was called.
    package static func test(of endpoint: WebhookEndpoint, at now: Int64) -> ClaimedDelivery {
        ClaimedDelivery(
            id: .timeOrdered(at: now), claim: .timeOrdered(at: now), endpoint: endpoint, event: .timeOrdered(at: now),
            type: .endpointTest, uid: endpoint.owner.name, conversation: "", sequence: 0,
            body: WebhookBody.test(endpoint, at: now), attempts: 0, failures: 0, age: .zero)
    }
}
