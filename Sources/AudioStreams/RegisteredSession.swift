package import EarshotModel

/// A session as the registry knows it, with one group's progress.
package struct RegisteredSession: Equatable, Sendable {
    package var session: SessionID
    package var user: UserID
    package var epoch: FencingToken
    package var gateway: Incarnation
    package var conversation: String
    package var conversationStart: Int64
    /// Unix µs of the registration.
    package var startedAt: Int64
    package var parameters: SessionParameters
    /// Where the end marker stands, once there is one; entries behind it do not count.
    package var end: StreamPosition?
    package var endReason: EndReason?
    /// Whether every enabled group has passed the marker.
    package var isCompleted: Bool
    package var progress: LaneProgress
    /// The session that this one continues, and the one that continues it.
    package var predecessor: SessionID?
    package var successor: SessionID?
    /// The session that this one continues, or else the one that had joined its conversation last, if any had.
    package var before: SessionID?
    /// The number of the oldest message that the device had when the session was registered.
    package var first: UInt64
    /// The number with which the session begins.
    package var from: UInt64
    /// The highest number that was acknowledged to the device, and its capture time in Unix µs.
    package var last: UInt64?
    package var lastCapture: Int64?

    /// Makes a value.
    package init(
        session: SessionID, user: UserID, epoch: FencingToken, gateway: Incarnation, conversation: String,
        conversationStart: Int64, startedAt: Int64, parameters: SessionParameters, end: StreamPosition? = nil,
        endReason: EndReason? = nil, isCompleted: Bool = false, progress: LaneProgress = LaneProgress(),
        predecessor: SessionID? = nil, successor: SessionID? = nil, before: SessionID? = nil, first: UInt64 = 0,
        from: UInt64 = 0, last: UInt64? = nil, lastCapture: Int64? = nil
    ) {
        self.session = session
        self.user = user
        self.epoch = epoch
        self.gateway = gateway
        self.conversation = conversation
        self.conversationStart = conversationStart
        self.startedAt = startedAt
        self.parameters = parameters
        self.end = end
        self.endReason = endReason
        self.isCompleted = isCompleted
        self.progress = progress
        self.predecessor = predecessor
        self.successor = successor
        self.before = before
        self.first = first
        self.from = from
        self.last = last
        self.lastCapture = lastCapture
    }
}
