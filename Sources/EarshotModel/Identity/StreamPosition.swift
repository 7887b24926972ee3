/// The id of an entry in a Redis stream, `milliseconds-sequence`.
package struct StreamPosition: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let milliseconds: UInt64
    package let sequence: UInt64

    /// Makes a position from its parts.
    package init(milliseconds: UInt64, sequence: UInt64) {
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    /// Before every entry: `0-0`.
    package static let start = StreamPosition(milliseconds: 0, sequence: 0)

    /// Reads `ms-seq`, or `ms` alone.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let milliseconds = UInt64(first) else { return nil }
        guard parts.count == 2 else {
            self.init(milliseconds: milliseconds, sequence: 0)
            return
        }
        guard let sequence = UInt64(parts[1]) else { return nil }
        self.init(milliseconds: milliseconds, sequence: sequence)
    }

    /// `ms-seq`, as Redis writes it.
    package var description: String { "\(milliseconds)-\(sequence)" }

    /// Orders positions as Redis orders entries.
    package static func < (lhs: StreamPosition, rhs: StreamPosition) -> Bool {
        (lhs.milliseconds, lhs.sequence) < (rhs.milliseconds, rhs.sequence)
    }
}
