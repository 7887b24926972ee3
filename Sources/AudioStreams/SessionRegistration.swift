package import EarshotModel
import NIOCore

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
    /// The session to continue; a resume is always a new session (protocol.md H9).
    package var predecessor: SessionID?
    /// The number of the oldest message that the device still has.
    package var first: UInt64

    /// Makes a request with a fresh nonce.
    package init(
        session: SessionID, user: UserID, gateway: Incarnation, now: Int64, parameters: SessionParameters,
        predecessor: SessionID? = nil, first: UInt64 = 0
    ) {
        self.session = session
        self.user = user
        self.gateway = gateway
        self.nonce = .random(in: 1 ... .max)
        self.now = now
        self.parameters = parameters
        self.predecessor = predecessor
        self.first = first
    }

    /// The end marker of a predecessor that is live; how many messages it had is not known here.
    var takeOverMarker: ByteBuffer {
        SessionEnding(
            session: predecessor ?? session, user: user, epoch: nil, gateway: gateway, reason: .superseded, now: now
        ).marker
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
        /// The number of the next message that the server wants.
        package var from: UInt64
        /// Whether the predecessor was found and is continued.
        package var isResumed: Bool
        /// Set when another session continues the predecessor already: nothing was registered, and the caller asks
        /// again with this one, the chain's last, as the predecessor.
        package var successor: SessionID?

        /// Makes a grant.
        package init(
            epoch: FencingToken, conversation: String, conversationStart: Int64, continuesConversation: Bool,
            flags: WorkerFlags, from: UInt64 = 0, isResumed: Bool = false, successor: SessionID? = nil
        ) {
            self.epoch = epoch
            self.conversation = conversation
            self.conversationStart = conversationStart
            self.continuesConversation = continuesConversation
            self.flags = flags
            self.from = from
            self.isResumed = isResumed
            self.successor = successor
        }
    }
}
