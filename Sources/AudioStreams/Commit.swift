package import EarshotModel

/// One numbered, fenced commit: outputs and the position behind their input, in one function (protocol.md C7).
package struct Commit: Sendable {
    /// What one lane contributes.
    package struct Lane: Sendable {
        /// The session; `nil` for a stream whose entries belong to no session.
        package var session: SessionID?
        package var progress: LaneProgress
        /// Events to append, each a JSON object.
        package var events: [String]
        /// Final live results, to publish and to keep.
        package var finals: [LiveResult]
        /// Entries given up on, with the reason.
        package var deadLetters: [DeadLetter]
        /// Entries to append to the stream the commit is about, each a JSON object: what is to be done later.
        package var again: [String]
        /// Capture time (Unix µs) up to which the audio was heard, and where the last speech in it ended.
        package var heard: Int64?
        package var speech: Int64?

        /// Makes a contribution.
        package init(
            session: SessionID?, progress: LaneProgress, events: [String] = [], finals: [LiveResult] = [],
            deadLetters: [DeadLetter] = [], again: [String] = [], heard: Int64? = nil, speech: Int64? = nil
        ) {
            self.heard = heard
            self.speech = speech
            self.session = session
            self.progress = progress
            self.events = events
            self.finals = finals
            self.deadLetters = deadLetters
            self.again = again
        }
    }

    /// An entry that failed for good.
    package struct DeadLetter: Sendable {
        package var entry: StreamEntry
        package var reason: String

        /// Makes a dead letter.
        package init(entry: StreamEntry, reason: String) {
            self.entry = entry
            self.reason = reason
        }
    }

    /// Where the group stands after a commit.
    package struct Position: Equatable, Sendable {
        package var position: StreamPosition
        package var entriesRead: Int64

        /// Makes a position.
        package init(position: StreamPosition, entriesRead: Int64) {
            self.position = position
            self.entriesRead = entriesRead
        }
    }

    /// Parked entries that are not needed any more.
    package struct Unparked: Equatable, Sendable {
        package var session: SessionID
        /// Entries from here on stay parked; `nil` removes all of them.
        package var keptFrom: StreamPosition?

        /// Makes a value.
        package init(session: SessionID, keptFrom: StreamPosition?) {
            self.session = session
            self.keptFrom = keptFrom
        }
    }

    package var group: WorkerGroup
    package var stream: StreamKind
    package var partition: Partition
    package var token: FencingToken
    /// 1 for the first commit under a token, then one more each.
    package var number: Int64
    /// `nil` leaves the group where it is.
    package var position: Position?
    package var lanes: [Lane]
    package var unparked: [Unparked]

    /// Makes a commit.
    package init(
        group: WorkerGroup, stream: StreamKind, partition: Partition, token: FencingToken, number: Int64,
        position: Position?, lanes: [Lane], unparked: [Unparked] = []
    ) {
        self.group = group
        self.stream = stream
        self.partition = partition
        self.token = token
        self.number = number
        self.position = position
        self.lanes = lanes
        self.unparked = unparked
    }

    /// What the function answered.
    package enum Outcome: String, Sendable {
        /// Everything happened now.
        case applied = "OK"
        /// The same number had happened before; nothing happened now.
        case repeated = "DONE"
        /// The token is not the lease's; nothing happened.
        case fenced = "FENCED"
        /// A number is missing in between; nothing happened.
        case outOfOrder = "ORDER"
    }
}
