import EarshotModel

/// What Redis and Postgres say of one session, each for itself, as its account needs it.
package struct SessionFacts: Equatable, Sendable {
    /// How far one group is.
    package struct Progress: Equatable, Sendable {
        /// The lowest message it still needs.
        package var next: UInt64
        /// Whether it has passed the end marker.
        package var isDone: Bool
        /// Entries it has parked.
        package var parked: Int

        /// Makes a value.
        package init(next: UInt64 = 0, isDone: Bool = false, parked: Int = 0) {
            self.next = next
            self.isDone = isDone
            self.parked = parked
        }
    }

    /// What the registry says, while it has the session.
    package struct Registry: Equatable, Sendable {
        /// The number the session begins with, and the oldest one the device had then.
        package var from: UInt64
        package var first: UInt64
        /// The highest number acknowledged; a `/v4/listen` session has none.
        package var last: UInt64?
        /// Where the session it continues ended, when that is known.
        package var predecessorEnd: UInt64?
        package var isContinuation: Bool
        package var endReason: String?
        package var isStorageWanted: Bool
        package var transcript: Progress
        package var storage: Progress
        /// Whether the end marker was trimmed away, so that nothing of the session is in the stream any more.
        package var isGoneFromStream: Bool

        /// Makes a value.
        package init(
            from: UInt64 = 0, first: UInt64 = 0, last: UInt64? = nil, predecessorEnd: UInt64? = nil,
            isContinuation: Bool = false, endReason: String? = nil, isStorageWanted: Bool = true,
            transcript: Progress = Progress(), storage: Progress = Progress(), isGoneFromStream: Bool = false
        ) {
            self.from = from
            self.first = first
            self.last = last
            self.predecessorEnd = predecessorEnd
            self.isContinuation = isContinuation
            self.endReason = endReason
            self.isStorageWanted = isStorageWanted
            self.transcript = transcript
            self.storage = storage
            self.isGoneFromStream = isGoneFromStream
        }
    }

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
    package var registry: Registry?
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
        session: String, registry: Registry? = nil, row: Row? = nil, parts: FrameRanges = FrameRanges(),
        segments: Int = 0, dead: FrameRanges = FrameRanges(), isRecordBehind: Bool = false
    ) {
        self.session = session
        self.registry = registry
        self.row = row
        self.parts = parts
        self.segments = segments
        self.dead = dead
        self.isRecordBehind = isRecordBehind
    }
}
