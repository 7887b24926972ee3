package import EarshotModel

/// A delivery to be: one event, or one part of it, for one endpoint.
package struct NewDelivery: Equatable, Sendable {
    /// The same for ever: derived from event, endpoint and part.
    package var id: UniqueID
    package var endpoint: UniqueID
    package var event: UniqueID
    package var type: WebhookEventType
    package var uid: String
    /// With the endpoint, its lane.
    package var conversation: String
    package var body: String?
    /// The event as JSON, while the body waits for the record.
    package var source: String?
    /// Why it is dead from the start: too large, or the endpoint is disabled.
    package var deadReason: String?

    /// Makes a delivery, whose id derives from the event, the endpoint and the number of its part.
    package init(
        event: UniqueID, endpoint: UniqueID, part: Int = 0, type: WebhookEventType, uid: String, conversation: String
    ) {
        id = Self.identifier(event: event, endpoint: endpoint, part: part)
        self.endpoint = endpoint
        self.event = event
        self.type = type
        self.uid = uid
        self.conversation = conversation
    }

    /// The id of an event's delivery to an endpoint: `webhook-id`, the same for every attempt.
    package static func identifier(event: UniqueID, endpoint: UniqueID, part: Int) -> UniqueID {
        .derived(from: event, name: "delivery/\(endpoint)/\(part)")
    }
}
