package import EarshotModel

/// A gateway's request to register a session.
package struct SessionRegistration: Sendable {
    package var session: SessionID
    package var user: UserID
    package var gateway: Incarnation
    /// The acquirer's half of the epoch.
    package var nonce: UInt64
    /// Unix µs.
    package var now: Int64
    package var parameters: SessionParameters
    /// The conversation the session belongs to whatever else is open, in the words of who names it; `nil` lets the
    /// registry choose.
    package var boundConversation: String?

    /// Makes a request with a fresh nonce.
    package init(session: SessionID, user: UserID, gateway: Incarnation, now: Int64, parameters: SessionParameters) {
        self.session = session
        self.user = user
        self.gateway = gateway
        self.nonce = .random(in: 1 ... .max)
        self.now = now
        self.parameters = parameters
    }

    /// What the registry answered.
    package struct Grant: Equatable, Sendable {
        package var epoch: FencingToken
        package var conversation: String
        /// Unix µs at which the conversation began; segments count from here.
        package var conversationStart: Int64
        /// Whether an open conversation was continued.
        package var continuesConversation: Bool
        /// The groups that get the session's audio: those asked for, and those the user's settings want.
        package var flags: WorkerFlags

        /// Makes a grant.
        package init(
            epoch: FencingToken, conversation: String, conversationStart: Int64, continuesConversation: Bool,
            flags: WorkerFlags
        ) {
            self.epoch = epoch
            self.conversation = conversation
            self.conversationStart = conversationStart
            self.continuesConversation = continuesConversation
            self.flags = flags
        }
    }
}
