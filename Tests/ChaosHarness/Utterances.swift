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
        /// Words differ, no more than may; their share of the longer text.
        case differs(Double)
        /// What is wrong.
        case wrong(String)
    }

    /// Workers cut where nobody paused, and words at the cuts are heard otherwise: this share of them may be.
    fileprivate static let errorShareMaximum = 0.35
    /// And so many beside a cut within speech, of which a stall means one at least: 1 cut of 100 costs more
    /// (docs/chaos.md).
    private static let wordsOfACut = 11
    /// So many where the audio ends in the middle of speech.
    private static let wordsOfAnEnd = 6
    /// A cut changes words, it leaves out few in a row and adds few: longer runs are work that was lost or done twice.
    fileprivate static let missingInARowMaximum = 6
    fileprivate static let extraInARowMaximum = 8
    /// Up to so many sessions of a chain that share is enough.
    private static let chainMaximum = 3
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
        let allowance =
            (circumstances.covered == nil ? 0 : Self.wordsOfAnEnd)
            + (circumstances.isStalled ? Self.wordsOfACut : 0)
            + max(0, circumstances.sessions - Self.chainMaximum) * Self.wordsOfACut
        let alignment = WordAlignment(Self.words(segments.map(\.text)), Self.words(heard))
        let candidates = (least...most).map { alignment.differences(inFirst: $0) }
        let allowed = candidates.filter { $0.isAllowed(with: allowance) }
        guard let best = (allowed.isEmpty ? candidates : allowed).min(by: { $0.errors < $1.errors }) else {
            return .wrong("there is nothing to compare")
        }
        guard !allowed.isEmpty else {
            return .wrong(
                "\(best.errors) of \(best.words) words differ, \(best.missing) missing and \(best.extra) more in a "
                    + "row, in \(circumstances.sessions) sessions: \(heard)")
        }
        guard best.errors > 0 else { return .identical }
        return .differs(Double(best.errors) / Double(max(best.words, alignment.others.count)))
    }

    private static func words(_ texts: [String]) -> [String] {
        texts.joined(separator: " ").lowercased().split { !$0.isLetter && $0 != "'" }.map(String.init)
    }
}

extension WordAlignment.Differences {
    /// Whether cuts explain them, which may have changed so many words beside a share of all.
    fileprivate func isAllowed(with allowance: Int) -> Bool {
        Double(errors) <= Utterances.errorShareMaximum * Double(words) + Double(allowance)
            && missing <= Utterances.missingInARowMaximum && extra <= Utterances.extraInARowMaximum
    }
}
