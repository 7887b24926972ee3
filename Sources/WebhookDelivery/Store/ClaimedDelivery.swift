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
