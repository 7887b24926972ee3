package import AudioStreams
import DequeModule
package import EarshotModel

/// Knows which read entries are still needed, and so how far the group's position may move.
package struct PositionTracker: Sendable {
    private struct Record {
        let position: StreamPosition
        var isPassed = false
    }

    private var records: Deque<Record> = []
    /// Place of `records.first` among all entries read.
    private var base = 0
    private var reached: Commit.Position

    /// Starts at a group's position.
    package init(position: StreamPosition, entriesRead: Int64) {
        reached = Commit.Position(position: position, entriesRead: entriesRead)
    }

    /// Notes an entry that was read.
    ///
    /// - Returns: the handle to pass it by.
    package mutating func append(_ position: StreamPosition) -> Int {
        records.append(Record(position: position))
        return base + records.count - 1
    }

    /// Notes that nobody needs an entry any more.
    package mutating func pass(_ handle: Int) {
        records[handle - base].isPassed = true
        while let first = records.first, first.isPassed {
            reached = Commit.Position(position: first.position, entriesRead: reached.entriesRead + 1)
            records.removeFirst()
            base += 1
        }
    }

    /// Everything up to here is done.
    package var position: Commit.Position { reached }
    /// Entries read and still needed, or behind one that is.
    package var pendingCount: Int { records.count }
}
