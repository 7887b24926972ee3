/// Where the parts of a conversation go in one file: by capture time, silence between them, long gaps left out.
///
/// Pure: times and lengths in, places out.
package struct PlaybackPlan: Sendable, Equatable {
    /// A part, as far as its place depends on it.
    package struct Part: Sendable, Equatable {
        package var session: String
        package var number: UInt64
        /// Unix µs of its first sample and right behind its last.
        package var captureStart: Int64
        package var captureEnd: Int64

        /// Makes a part.
        package init(session: String, number: UInt64, captureStart: Int64, captureEnd: Int64) {
            self.session = session
            self.number = number
            self.captureStart = captureStart
            self.captureEnd = captureEnd
        }
    }

    /// A stretch of the file in which time runs as it did.
    package struct Span: Sendable, Equatable {
        /// µs from the beginning of the file.
        package var fileStart: Int64
        /// Unix µs.
        package var captureStart: Int64
        package var captureEnd: Int64

        /// Its length in µs.
        package var duration: Int64 { captureEnd - captureStart }
    }

    /// Gaps longer than this are left out (omi.md section 5); µs.
    package static let gapMaximum: Int64 = 90_000_000

    /// The spans, in order.
    package private(set) var spans: [Span] = []
    /// The parts in the order of their beginnings, with the µs of the file at which each begins.
    package private(set) var places: [(part: Int, fileStart: Int64)] = []

    /// Plans; the parts may come in any order.
    package init(_ parts: [Part]) {
        let order = parts.indices.sorted {
            (parts[$0].captureStart, parts[$0].session, parts[$0].number)
                < (parts[$1].captureStart, parts[$1].session, parts[$1].number)
        }
        for index in order {
            let part = parts[index]
            if var span = spans.last, part.captureStart - span.captureEnd <= Self.gapMaximum {
                span.captureEnd = max(span.captureEnd, part.captureEnd)
                spans[spans.count - 1] = span
            } else {
                spans.append(
                    Span(
                        fileStart: spans.last.map { $0.fileStart + $0.duration } ?? 0, captureStart: part.captureStart,
                        captureEnd: part.captureEnd))
            }
            let span = spans[spans.count - 1]
            places.append((index, span.fileStart + part.captureStart - span.captureStart))
        }
    }

    /// Compares spans and places.
    package static func == (left: Self, right: Self) -> Bool {
        left.spans == right.spans && left.places.elementsEqual(right.places) { $0 == $1 }
    }
}
