/// How far one group is with one session, as its commits left it in the registry.
package struct LaneProgress: Equatable, Sendable {
    /// The lowest frame number the group still needs.
    package var next: UInt64
    /// Outputs the group has numbered so far: segments of the transcript group.
    package var ordinal: UInt64
    /// Events the group has written so far.
    package var events: UInt64
    /// The group's own restart state; empty before the first commit.
    package var state: [UInt8]
    /// Whether the group has passed the end marker.
    package var isDone: Bool

    /// The progress of a session nobody has committed for.
    package init(next: UInt64 = 0, ordinal: UInt64 = 0, events: UInt64 = 0, state: [UInt8] = [], isDone: Bool = false) {
        self.next = next
        self.ordinal = ordinal
        self.events = events
        self.state = state
        self.isDone = isDone
    }
}
