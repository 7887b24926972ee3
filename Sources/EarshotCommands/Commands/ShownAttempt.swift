import EarshotModel
import WebhookDelivery

/// An attempt as `earshot delivery show`, `earshot endpoint test` and `earshot endpoint attempts` show it.
struct ShownAttempt: Encodable {
    /// Where it does not stand below its delivery.
    let deliveryID: String?
    let at: String
    let milliseconds: Int64
    let status: Int?
    let error: String?
    let remote: String?
    let response: String?
    /// Live audio: whose, and the window's number.
    var uid: String?
    var sessionID: String?
    var sequence: Int64?

    init(_ log: AttemptLog, of delivery: String? = nil) {
        deliveryID = delivery
        at = ISOTime.text(log.at)
        milliseconds = log.milliseconds
        status = log.status
        error = log.error
        remote = log.remote
        response = log.response
    }

    init(_ audio: LoggedAudioAttempt) {
        self.init(audio.log, of: audio.window)
        uid = audio.uid
        sessionID = audio.session
        sequence = audio.sequence
    }
}
