/// What a recording says undisturbed, to be compared with what a disturbed session, or a chain of them, says of it.
package struct Utterances: Sendable {
    /// One segment, with its place in the recording in seconds.
    package struct Segment: Sendable {
        package var text: String
        package var start: Double
        package var end: Double

        /// Makes one.
        package init(_ text: String, _ start: Double, _ end: Double) {
            self.text = text
            self.start = start
            self.end = end
        }
    }

    /// How a session, or the sessions of a chain one behind the other, came about.
    package struct Circumstances: Sendable {
        /// Seconds of the recording that it has; nil when it has all of it.
        package var covered: Double?
        /// Whether utterances may have been cut where nobody paused.
        package var isStalled: Bool
        /// Sessions one behind the other.
        package var sessions: Int

        /// Makes some.
        package init(covered: Double? = nil, isStalled: Bool, sessions: Int = 1) {
            self.covered = covered
            self.isStalled = isStalled
            self.sessions = sessions
        }
    }

    /// What a comparison found.
    package enum Finding: Equatable, Sendable {
        /// Text by text what the recording says, as far as it goes.
        case identical
        /// Words differ, no more than may; their share.
        case differs(Double)
        /// What is wrong.
        case wrong(String)
    }

    /// Workers cut where nobody paused, and words at the cuts are heard otherwise: this share of them may be.
    ///
    /// It is a bound, not a measurement; `words_differ_max_percent` of the runs is what it can be narrowed to.
    package static let errorShareMaximum = 0.35
    /// Up to so many sessions of a chain that share is enough.
    private static let chainMaximum = 3
    /// A cut breaks a word on either side of it.
    private static let wordsOfACut = 2
    /// What is spoken so long before the end of the audio was certainly closed by silence (speech.md: 500 ms).
    private static let margin = 1.0

    package let segments: [Segment]

    /// A reference of some segments, in order.
    package init(_ segments: [Segment]) { self.segments = segments }

    /// Compares what was heard with it.
    package func compare(_ heard: [String], _ circumstances: Circumstances) -> Finding {
        let expected = segments.map(\.text)
        if circumstances.sessions == 1, !circumstances.isStalled {
            guard let covered = circumstances.covered else {
                return heard == expected ? .identical : .wrong("\(heard) is not \(expected)")
            }
            // Only what was open at the end may have been cut in the middle.
            let certain = segments.prefix { $0.end + Self.margin <= covered }.map(\.text)
            guard heard.starts(with: certain), expected.starts(with: heard.dropLast()) else {
                return .wrong("\(heard) is not the beginning of \(expected) up to \(covered) s")
            }
        }
        if circumstances.covered == nil, heard == expected { return .identical }
        return compareWords(heard, circumstances)
    }

    /// Compares with those beginnings of it that the audio may hold, word by word.
    private func compareWords(_ heard: [String], _ circumstances: Circumstances) -> Finding {
        let covered = circumstances.covered ?? .infinity
        let least = Self.words(segments.prefix { $0.end + Self.margin <= covered }.map(\.text)).count
        let most = Self.words(segments.prefix { $0.start - Self.margin <= covered }.map(\.text)).count
        let cuts = (circumstances.covered == nil ? 0 : 1) + max(0, circumstances.sessions - Self.chainMaximum)
        let distances = Self.distances(Self.words(segments.map(\.text)), Self.words(heard))
        // The best of the beginnings: the one that leaves most of what is allowed.
        let candidates = (least...most).map { count in
            let allowed = Self.errorShareMaximum * Double(count) + Double(cuts * Self.wordsOfACut)
            return (errors: distances[count], words: count, excess: Double(distances[count]) - allowed)
        }
        guard let best = candidates.min(by: { $0.excess < $1.excess }) else {
            return .wrong("there is nothing to compare")
        }
        let share = Double(best.errors) / Double(max(1, best.words))
        guard best.excess > 0 else { return best.errors == 0 ? .identical : .differs(share) }
        return .wrong(
            "\(best.errors) of \(best.words) words differ in \(circumstances.sessions) sessions: \(heard)")
    }

    /// The edit distances in words from each beginning of a text, by its length, to another text.
    private static func distances(_ left: [String], _ right: [String]) -> [Int] {
        var row = Array(0...right.count)
        var distances = [right.count]
        for (index, word) in left.enumerated() {
            var previous = row[0]
            row[0] = index + 1
            for column in right.indices {
                let current = row[column + 1]
                row[column + 1] = min(current + 1, row[column] + 1, previous + (word == right[column] ? 0 : 1))
                previous = current
            }
            distances.append(row[right.count])
        }
        return distances
    }

    private static func words(_ texts: [String]) -> [String] {
        texts.joined(separator: " ").lowercased().split { !$0.isLetter && $0 != "'" }.map(String.init)
    }
}
