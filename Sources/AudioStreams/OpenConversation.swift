package import EarshotModel

/// A conversation that is not completed.
package struct OpenConversation: Equatable, Sendable {
    package var id: String
    package var user: UserID
    /// The session that joined it last.
    package var session: SessionID

    /// Makes a value.
    package init(id: String, user: UserID, session: SessionID) {
        self.id = id
        self.user = user
        self.session = session
    }
}
