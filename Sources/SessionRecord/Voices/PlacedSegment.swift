package import EarshotModel

/// A segment with its place in the record.
package struct PlacedSegment: Equatable, Sendable {
    package var segment: TranscriptSegment
    package var session: String
    /// Unix µs from which its seconds count: the start of its conversation.
    package var origin: Int64
    /// Whether a back end transcribed it: its sessions are connections, so that speakers and audio are those of the
    /// conversation, and not of the session the segment came by.
    package var isBackend: Bool

    /// Makes a placed segment.
    package init(segment: TranscriptSegment, session: String, origin: Int64, isBackend: Bool = false) {
        self.segment = segment
        self.session = session
        self.origin = origin
        self.isBackend = isBackend
    }

    /// Unix µs at which it begins and ends.
    package var times: Range<Int64> {
        let start = origin + Int64(segment.start * 1_000_000)
        return start..<max(start, origin + Int64(segment.end * 1_000_000))
    }
}
