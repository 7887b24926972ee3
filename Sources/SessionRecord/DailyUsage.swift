import EarshotModel

/// What a user's audio of one UTC day came to, over all their devices; a day is that of the capture.
package struct DailyUsage: Codable, Equatable, Sendable {
    /// As `2026-11-27`.
    package var day: String
    /// Seconds of audio that came in.
    package var receivedSeconds: Double = 0
    /// Seconds of speech in it that became text.
    package var transcribedSeconds: Double = 0
    /// Seconds of it that stand in the object store.
    package var storedSeconds: Double = 0

    /// A day without anything.
    package init(day: String) { self.day = day }

    private enum CodingKeys: String, CodingKey {
        case day
        case receivedSeconds = "received_seconds"
        case transcribedSeconds = "transcribed_seconds"
        case storedSeconds = "stored_seconds"
    }

    /// A stored part's seconds by day: one that midnight falls into counts for each day as long as it lies in it.
    static func split(_ part: StoredAudioPart) -> [(day: String, seconds: Double)] {
        let first = UTCDay(of: part.captureStart)
        let last = UTCDay(of: max(part.captureStart, part.captureEnd - 1))
        guard first < last else { return [(first.description, part.seconds)] }
        let length = Double(part.captureEnd - part.captureStart)
        return (first.number...last.number).map { number in
            let midnight = Int64(number) * 86_400_000_000
            let overlap = min(part.captureEnd, midnight + 86_400_000_000) - max(part.captureStart, midnight)
            return (UTCDay(number: number).description, part.seconds * Double(overlap) / length)
        }
    }
}
