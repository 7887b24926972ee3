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

    /// Makes a value.
    package init(
        session: SessionID, user: UserID, epoch: FencingToken, gateway: Incarnation, conversation: String,
        conversationStart: Int64, startedAt: Int64, parameters: SessionParameters, end: StreamPosition? = nil,
        endReason: EndReason? = nil, isCompleted: Bool = false, progress: LaneProgress = LaneProgress()
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
    }
}
