import EarshotModel
import WebhookDelivery

/// What `earshot endpoint add` and `rotate` print: the only time a secret is shown.
struct AddedEndpoint: Encodable {
    let endpointID: String
    /// `whsec_…`, for the receiver.
    let secret: String?
    /// `whpk_…`, for receivers that verify `v1a`.
    let publicKey: String?

    init(_ endpoint: WebhookEndpoint) {
        endpointID = endpoint.id.description
        secret = endpoint.secrets.first { !$0.key.isEd25519 }?.key.text
        publicKey = endpoint.secrets.first { $0.key.isEd25519 }?.key.verifyingText
    }
}
