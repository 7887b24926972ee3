import AudioStreams
import EarshotModel
import TestSupport

/// A worker reduced to the rules of reading: cursor, dedup by sequence, late entries, ranges, numbered commits.
struct FuzzWorker {
    struct Lane {
        var session: RegisteredSession
        var expected: UInt64
        /// Absorbed and not committed begins here.
        var committed: UInt64
        var ordinal: UInt64
        var isDone: Bool
    }

    struct Held {
        let position: StreamPosition
        let session: SessionID
        let next: UInt64
        /// Entries of the stream before it.
        let before: Int64
    }

    let member: Incarnation
    var grant: Lease.Grant?
    var cursor = StreamPosition.start
    var lanes: [SessionID: Lane] = [:]
    /// Sessions that are unknown or through.
    var ignored: Set<SessionID> = []
    /// Entries read and still needed, in order, and what the group's position would be without them.
    var held: [Held] = []
    var read: Int64 = 0
    var number: Int64 = 0
    /// The commit whose outcome is not known, if there is one.
    var inDoubt: Commit?

    mutating func begin(_ grant: Lease.Grant) {
        self = FuzzWorker(member: member)
        self.grant = grant
        cursor = grant.position
        read = grant.entriesRead
    }

    /// The group's position with what is held now.
    func position(from grant: Lease.Grant) -> Commit.Position {
        guard let first = held.first else { return Commit.Position(position: cursor, entriesRead: read) }
        let before = first.position
        let predecessor =
            before.sequence > 0
            ? StreamPosition(milliseconds: before.milliseconds, sequence: before.sequence - 1)
            : StreamPosition(milliseconds: before.milliseconds - 1, sequence: .max)
        return Commit.Position(position: max(grant.position, predecessor), entriesRead: first.before)
    }
}
