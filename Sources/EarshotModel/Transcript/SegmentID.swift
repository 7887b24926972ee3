/// Names one segment: derived from the session and the count of segments committed before it (protocol.md H4).
///
/// A replay derives the same id, so it updates; two devices of one user never collide.
package enum SegmentID {
    /// The id of a session's segment with an ordinal, counted from 0.
    package static func of(session: SessionID, ordinal: UInt64) -> UniqueID {
        .derived(from: session.value, name: "segment/\(ordinal)")
    }
}
