import EarshotClient

/// A growing transcript as lines: those that will not change any more, and the one that still may.
///
/// The protocol does not mark the last text of a segment, so a segment counts as finished when the next one has begun,
/// or at the end. One that changes after that is shown again.
struct ConsoleTranscript {
    /// A line that is not going to change.
    struct Line: Equatable {
        let text: String
        let start: Double
        /// Whether it replaces one that was shown before.
        let isCorrection: Bool
    }

    private var order: [String] = []
    private var segments: [String: (text: String, start: Double)] = [:]
    private var shown: [String: String] = [:]

    /// Takes what the device was told.
    mutating func apply(_ observation: DeviceObservation) {
        switch observation {
        case .segments(let changed):
            for segment in changed {
                if segments[segment.id] == nil { order.append(segment.id) }
                segments[segment.id] = (segment.text, segment.start)
            }
        case .deleted(let ids):
            order.removeAll { ids.contains($0) }
            for id in ids { segments[id] = nil }
        case .connected, .ready, .event, .audioEnded, .closed: break
        }
    }

    /// The text that may still change.
    var open: String? { order.last.flatMap { shown[$0] == segments[$0]?.text ? nil : segments[$0]?.text } }

    /// The lines finished since this was asked last; when all is over, the last segment is finished, too.
    mutating func finishedLines(isOver: Bool) -> [Line] {
        let finished = isOver ? order[...] : order.dropLast()
        return finished.compactMap { id in
            guard let segment = segments[id], shown[id] != segment.text else { return nil }
            let isCorrection = shown[id] != nil
            shown[id] = segment.text
            return Line(text: segment.text, start: segment.start, isCorrection: isCorrection)
        }
    }
}
