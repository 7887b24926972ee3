package import EarshotModel

/// An endpoint that Earshot disabled just now: what its owner is told.
package struct DisabledEndpoint: Equatable, Sendable {
    package var id: UniqueID
    /// `nil` for a name that is none.
    package var owner: EndpointOwner?
    /// Without its query.
    package var url: String
    package var reason: String

    /// Makes one.
    package init(id: UniqueID, owner: EndpointOwner?, url: String, reason: String) {
        self.id = id
        self.owner = owner
        self.url = url
        self.reason = reason
    }

    /// The user whose open sessions are told; behind an app stands no user.
    package var user: UserID? {
        if case .user(let user)? = owner { user } else { nil }
    }

    /// The text frame for them.
    package var notice: String {
        OmiReply.notification(title: "Webhook disabled", message: "\(url) gets nothing any more: \(reason).")
    }
}
