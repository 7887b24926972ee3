import EarshotModel
import WebhookDelivery

/// A delivery as `earshot delivery` shows it.
struct ShownDelivery: Encodable {
    let deliveryID: String
    let endpointID: String
    let eventID: String
    let type: String
    let uid: String
    let conversationID: String
    let sequence: Int64
    let state: String
    let attempts: Int
    let dueAt: String?
    let status: Int?
    let error: String?
    let createdAt: String
    let finishedAt: String?
    let bodyBytes: Int?
    var attemptsLog: [ShownAttempt]?
    var body: String?

    init(_ delivery: ListedDelivery) {
        deliveryID = delivery.id.description
        endpointID = delivery.endpoint
        eventID = delivery.event
        type = delivery.type
        uid = delivery.uid
        conversationID = delivery.conversation
        sequence = delivery.sequence
        state = delivery.state.rawValue
        attempts = delivery.attempts
        dueAt = delivery.dueAt.map(ISOTime.text)
        status = delivery.status
        error = delivery.error
        createdAt = ISOTime.text(delivery.createdAt)
        finishedAt = delivery.finishedAt.map(ISOTime.text)
        bodyBytes = delivery.bodyBytes
    }
}
