import EarshotModel

/// Where a part's frames lie in time, and where silence belongs between them.
///
/// Everybody who needs to know the length of a part, or writes one, counts with this; so all count alike.
package struct PartTimeline: Sendable, Equatable {
    /// Samples a second.
    package let sampleRate: Int
    /// Silence comes in multiples of so many samples.
    private let granularity: Int
    /// Unix µs of the first sample.
    package let start: Int64
    /// Samples so far, silence included.
    package private(set) var samples = 0

    /// An empty part.
    ///
    /// - Parameters:
    ///   - start: Unix µs of its first sample.
    ///   - sampleRate: of the device.
    ///   - granularity: silence is rounded down to a multiple of so many samples; the rest stays due.
    package init(start: Int64, sampleRate: Int, granularity: Int) {
        self.start = start
        self.sampleRate = sampleRate
        self.granularity = max(1, granularity)
    }

    /// Unix µs right behind the last sample.
    package var end: Int64 { start + Int64(samples) * 1_000_000 / Int64(sampleRate) }
    /// Seconds so far.
    package var seconds: Double { Double(samples) / Double(sampleRate) }

    /// Samples of silence that belong before what was captured at a time.
    package func silence(before captureTime: Int64) -> Int {
        let (distance, isTooFar) = captureTime.subtractingReportingOverflow(end)
        guard !isTooFar, distance > AudioEntry.captureJoinMaximum else { return 0 }
        // An hour is far more than a part holds; it only keeps the product small.
        let count = Int(min(distance, 3_600_000_000) * Int64(sampleRate) / 1_000_000)
        return count / granularity * granularity
    }

    /// Adds silence or audio.
    package mutating func add(samples count: Int) { samples += count }
}
