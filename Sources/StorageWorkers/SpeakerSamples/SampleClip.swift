import EarshotModel
import SessionRecord

/// A stretch of a segment that goes into a sample.
struct SampleClip: Equatable {
    let segment: PlacedSegment
    /// Seconds from the conversation's start.
    let start: Double
    let end: Double

    var seconds: Double { end - start }

    /// Unix µs.
    var times: Range<Int64> {
        let first = segment.origin + Int64(start * 1_000_000)
        return first..<max(first, segment.origin + Int64(end * 1_000_000))
    }
}
