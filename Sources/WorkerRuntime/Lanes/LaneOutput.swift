package import AudioStreams
package import EarshotModel

/// What a lane wants committed: outputs, and how far they cover its input.
package struct LaneOutput: Sendable {
    package var progress: LaneProgress
    /// Events, each a JSON object on one line.
    package var events: [String]
    package var finals: [LiveResult]
    /// Entries that the lane gives itself again, behind the others, each a JSON object on one line.
    package var again: [String] = []
    /// Capture time (Unix µs) up to which the audio was heard, and where the last speech in it ended: by them a
    /// conversation's silence is measured (protocol.md H3).
    package var heard: Int64?
    package var speech: Int64?

    /// Makes an output.
    package init(progress: LaneProgress, events: [String] = [], finals: [LiveResult] = []) {
        self.progress = progress
        self.events = events
        self.finals = finals
    }
}
