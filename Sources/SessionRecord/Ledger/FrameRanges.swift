/// Numbers of messages as disjoint ranges in order; adding keeps them so.
package struct FrameRanges: Equatable, Sendable {
    /// The ranges, ascending, none empty, none touching the next.
    package private(set) var ranges: [Range<UInt64>] = []
    /// Numbers that were added more than once.
    package private(set) var repeated: UInt64 = 0

    /// The numbers of some ranges.
    package init(_ ranges: some Sequence<Range<UInt64>> = []) {
        for range in ranges.filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) { append(range) }
    }

    private mutating func append(_ range: Range<UInt64>) {
        guard let last = ranges.last, range.lowerBound <= last.upperBound else { return ranges.append(range) }
        repeated += min(last.upperBound, range.upperBound) - range.lowerBound
        ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
    }

    /// How many numbers there are.
    package var count: UInt64 { ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } }
    /// The number behind the last; `nil` when there is none.
    package var end: UInt64? { ranges.last?.upperBound }

    /// Whether a number is among them.
    package func contains(_ number: UInt64) -> Bool { ranges.contains { $0.contains(number) } }
}
