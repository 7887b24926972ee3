package import EarshotModel

/// What a lane is for: order inside it, independence between lanes.
package enum LaneKey: Hashable, Sendable, CustomStringConvertible {
    /// One session's entries.
    case session(SessionID)
    /// All entries of a stream that knows no sessions.
    case stream

    /// The session, if the lane is for one.
    package var session: SessionID? {
        if case .session(let id) = self { id } else { nil }
    }

    /// For logs and for the lease's hand.
    package var description: String {
        switch self {
        case .session(let id): id.description
        case .stream: "stream"
        }
    }
}
