package import EarshotModel
import FoundationEssentials

/// Which deliveries an event becomes.
package enum EventFanOut {
    /// The deliveries of an event, in the order of the endpoints, parts in order.
    package static func deliveries(
        of event: SessionEvent, to endpoints: [WebhookEndpoint], bodies: WebhookBody
    ) -> [NewDelivery] {
        guard let id = UniqueID(event.id), let type = WebhookEventType(event.type) else { return [] }
        var built: [WebhookDialect: [String?]] = [:]
        var deliveries: [NewDelivery] = []
        for endpoint in endpoints where endpoint.events.contains(type) && endpoint.dialect.events.contains(type) {
            func delivery(_ part: Int) -> NewDelivery {
                var delivery = NewDelivery(
                    event: id, endpoint: endpoint.id, part: part, type: type, uid: event.uid,
                    conversation: event.conversation)
                if endpoint.state == .disabled { delivery.deadReason = "the endpoint is disabled" }
                return delivery
            }
            if type.needsRecord {
                var waiting = delivery(0)
                waiting.source = source(event)
                deliveries.append(waiting)
                continue
            }
            let parts = built[endpoint.dialect] ?? bodies.bodies(of: event, in: endpoint.dialect)
            built[endpoint.dialect] = parts
            for (part, body) in parts.enumerated() {
                var next = delivery(part)
                next.body = body
                if body == nil { next.deadReason = tooLarge }
                deliveries.append(next)
            }
        }
        return deliveries
    }

    /// Why a delivery without a body is dead.
    package static let tooLarge = "the body is larger than 256 KiB"

    private static func source(_ event: SessionEvent) -> String? {
        (try? JSONEncoder().encode(event)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Reads what a delivery keeps until the record is as far as its event.
    package static func event(source: String) -> SessionEvent? {
        try? JSONDecoder().decode(SessionEvent.self, from: Data(source.utf8))
    }
}
