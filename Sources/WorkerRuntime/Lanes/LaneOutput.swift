package import AudioStreams
package import EarshotModel

/// What a lane wants committed: outputs, and how far they cover its input.
package struct LaneOutput: Sendable {
    package var progress: LaneProgress
    /// Events, each a JSON object on one line.
    package var events: [String]
    package var finals: [LiveResult]

    /// Makes an output.
    package init(progress: LaneProgress, events: [String] = [], finals: [LiveResult] = []) {
        self.progress = progress
        self.events = events
        self.finals = finals
    }
}
