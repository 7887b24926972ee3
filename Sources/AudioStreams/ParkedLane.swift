package import EarshotModel

/// What one group has parked of one session (protocol.md C6).
package struct ParkedLane: Equatable, Sendable {
    package var session: SessionID
    /// Payload bytes.
    package var bytes: Int
    package var entries: Int
    /// The first entry's place in the stream it was parked from.
    package var first: StreamPosition
    /// The last entry's place; everything of the session up to here is parked or was passed.
    package var last: StreamPosition

    /// Makes a value.
    package init(session: SessionID, bytes: Int, entries: Int, first: StreamPosition, last: StreamPosition) {
        self.session = session
        self.bytes = bytes
        self.entries = entries
        self.first = first
        self.last = last
    }

    /// What a request to park came to.
    package enum Outcome: Equatable, Sendable {
        /// The entries are parked; the value is of all that the session has parked.
        case parked(ParkedLane)
        /// The quota of the partition and group would be passed; nothing happened.
        case full
        /// The token is not the lease's; nothing happened.
        case fenced
    }
}
