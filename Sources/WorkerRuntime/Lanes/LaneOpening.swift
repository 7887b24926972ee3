package import AudioStreams
package import EarshotModel

/// What a lane begins with.
package struct LaneOpening: Sendable {
    package let key: LaneKey
    package let partition: Partition
    /// The registry's entry, with the group's progress; `nil` for a stream without sessions.
    package let session: RegisteredSession?

    /// Where the group stands with the lane.
    package var progress: LaneProgress { session?.progress ?? LaneProgress() }
}
