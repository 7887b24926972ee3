package import AudioStreams
package import EarshotModel

/// What a lane begins with.
package struct LaneOpening: Sendable {
    package let key: LaneKey
    package let partition: Partition
    /// The registry's entry, with the group's progress; `nil` for a stream without sessions.
    package let session: RegisteredSession?
    /// The number of the first frame that is the session's own; what lies before it was its predecessor's.
    package var start: UInt64 = 0
    /// Frames between the predecessor's last and the oldest one that the device still had: nobody has them.
    package var lost: UInt64 = 0
    /// The group's restart state of the session before it in the conversation, for a lane of which nothing is committed
    /// and whose factory `continuesConversations`; else empty.
    package var stateBefore: [UInt8] = []
    /// Whether the lane waited so long that it was to park, and the quota was full: what may be lost should be skipped.
    package var isParkingFull = false

    /// Where the group stands with the lane.
    package var progress: LaneProgress { session?.progress ?? LaneProgress() }
}
