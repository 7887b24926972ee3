/// What a session's audio of one day came to; absolute totals, so that a replay counts nothing twice (protocol.md M18).
package struct SessionUsage: Codable, Equatable, Sendable {
    /// The day of UTC on which the audio was captured, as `2026-11-27`.
    package var day: String
    /// Seconds of audio that came in.
    package var receivedSeconds: Double
    /// Seconds of speech in it that became text.
    package var transcribedSeconds: Double

    /// Makes a total.
    package init(day: UTCDay, receivedSeconds: Double, transcribedSeconds: Double) {
        self.day = day.description
        self.receivedSeconds = receivedSeconds
        self.transcribedSeconds = transcribedSeconds
    }

    private enum CodingKeys: String, CodingKey {
        case day
        case receivedSeconds = "received_seconds"
        case transcribedSeconds = "transcribed_seconds"
    }
}
