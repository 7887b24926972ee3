package import AudioStreams
import EarshotModel

/// A group's lag as one sum over partitions: what a worker type is scaled by.
///
/// A maximum of partitions understates a backlog, and a lag that Redis cannot tell is not zero: it counts as the whole
/// stream, and raises an alarm of its own (operations.md 3.2).
package struct LagSum: Equatable, Sendable {
    package private(set) var entries: Int64 = 0
    /// Seconds of audio that wait, every user's; of events how long the first of each partition has waited.
    package private(set) var seconds: Double = 0
    /// The longest time in one partition, of audio by its capture.
    package private(set) var longest: Duration = .zero
    package private(set) var unknownPartitions = 0
    package private(set) var parkedEntries: Int64 = 0

    /// Adds up what the partitions say.
    package init(_ lags: [GroupLag]) {
        for lag in lags {
            entries += lag.entriesAtMost
            seconds += (lag.audio ?? lag.span) / .seconds(1)
            longest = max(longest, lag.span)
            parkedEntries += lag.parkedEntries
            if lag.entries == nil { unknownPartitions += 1 }
        }
    }
}
