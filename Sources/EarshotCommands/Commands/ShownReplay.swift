import EarshotModel
import WebhookDelivery

/// A replay as `earshot delivery replay` shows it.
struct ShownReplay: Encodable {
    let jobID: String
    let endpointID: String?
    let since: String
    let until: String
    let taken: Int
    let delivered: Int
    let pending: Int
    let dead: Int
    let done: Bool

    init(_ progress: ReplayProgress) {
        jobID = progress.id.description
        endpointID = progress.endpoint
        since = ISOTime.text(progress.since)
        until = ISOTime.text(progress.until)
        taken = progress.taken
        delivered = progress.delivered
        pending = progress.pending
        dead = progress.dead
        done = progress.isDone
    }
}
