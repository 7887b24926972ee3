package import EarshotModel

/// The right of one process to consume one partition for one group.
package enum Lease {
    /// How the previous owner left it.
    package enum Mode: String, Sendable {
        /// Nobody had it.
        case fresh
        /// The owner handed it over.
        case released
        /// The same incarnation takes it again, after it lost contact.
        case retaken
        /// The owner lapsed; what it had in hand may have killed it.
        case lapsed
    }

    /// A lease as somebody else sees it: it lapses when this stays the same for long enough (protocol.md H1).
    package struct Sighting: Equatable, Sendable {
        package var token: FencingToken
        package var beat: Int64
        package var owner: String
        package var isReleased: Bool

        /// Makes a sighting.
        package init(token: FencingToken, beat: Int64, owner: String, isReleased: Bool) {
            self.token = token
            self.beat = beat
            self.owner = owner
            self.isReleased = isReleased
        }
    }

    /// A request to take a lease.
    package struct Attempt: Sendable {
        package var partition: Partition
        package var owner: Incarnation
        /// What the observer saw unchanged for the lapse time, if it did.
        package var lapsed: Sighting?

        /// Makes a request.
        package init(partition: Partition, owner: Incarnation, lapsed: Sighting? = nil) {
            self.partition = partition
            self.owner = owner
            self.lapsed = lapsed
        }
    }

    /// A lease that was taken.
    package struct Grant: Equatable, Sendable {
        package var token: FencingToken
        package var mode: Mode
        /// The group's position: everything up to here is done.
        package var position: StreamPosition
        /// Entries of the stream up to the position, for a true lag.
        package var entriesRead: Int64
        /// The stream's last entry at that moment: the horizon of a replay.
        package var horizon: StreamPosition
        /// Crashes counted against sessions in hand, by `session@entry`.
        package var crashes: [String: Int]
        /// What earlier owners parked; those lanes go on where they stand, also when nothing more comes for them.
        package var parked: [ParkedLane]

        /// Makes a grant.
        package init(
            token: FencingToken, mode: Mode, position: StreamPosition, entriesRead: Int64, horizon: StreamPosition,
            crashes: [String: Int] = [:], parked: [ParkedLane] = []
        ) {
            self.token = token
            self.mode = mode
            self.position = position
            self.entriesRead = entriesRead
            self.horizon = horizon
            self.crashes = crashes
            self.parked = parked
        }
    }

    /// What an attempt came to.
    package enum Outcome: Equatable, Sendable {
        case granted(Grant)
        case held(Sighting)
    }
}
