package import EarshotModel

/// What Redis and Postgres say of one session, each for itself, as its account needs it.
package struct SessionFacts: Equatable, Sendable {
    /// The session's row of the record.
    package struct Row: Equatable, Sendable {
        package var uid: String
        package var predecessor: String?
        package var isEnded: Bool
        package var endReason: String?
        /// Messages the transcript group passed.
        package var frames: UInt64
        package var lostFrames: UInt64
        /// The number behind the last message that an event said was stored; `nil` when none did.
        package var storedNext: UInt64?

        /// Makes a value.
        package init(
            uid: String, predecessor: String? = nil, isEnded: Bool = true, endReason: String? = nil, frames: UInt64 = 0,
            lostFrames: UInt64 = 0, storedNext: UInt64? = nil
        ) {
            self.uid = uid
            self.predecessor = predecessor
            self.isEnded = isEnded
            self.endReason = endReason
            self.frames = frames
            self.lostFrames = lostFrames
            self.storedNext = storedNext
        }
    }

    package var session: String
    /// What the registry says, while it has the session.
    package var registry: LedgerEntry?
    /// Where the session it continues ended, when that is known.
    package var predecessorEnd: UInt64?
    package var row: Row?
    /// Messages in the parts that the record names.
    package var parts: FrameRanges
    package var segments: Int
    /// Messages in the dead letters.
    package var dead: FrameRanges
    /// Whether the record may not have had all events that stood in the stream when the registry was read.
    package var isRecordBehind: Bool

    /// Makes a value.
    package init(
        session: String, registry: LedgerEntry? = nil, predecessorEnd: UInt64? = nil, row: Row? = nil,
        parts: FrameRanges = FrameRanges(), segments: Int = 0, dead: FrameRanges = FrameRanges(),
        isRecordBehind: Bool = false
    ) {
        self.session = session
        self.registry = registry
        self.predecessorEnd = predecessorEnd
        self.row = row
        self.parts = parts
        self.segments = segments
        self.dead = dead
        self.isRecordBehind = isRecordBehind
    }
}
