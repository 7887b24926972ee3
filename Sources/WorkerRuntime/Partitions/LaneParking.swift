import AudioStreams
import DequeModule
import EarshotModel
import NIOCore

/// What a lane has parked, and how far it was fed from it; only the consumer touches it (protocol.md C6).
struct LaneParking {
    private struct Fed {
        let position: StreamPosition
        let nextSequence: UInt64
        let bytes: Int
    }

    private(set) var bytes: Int
    private(set) var entries: Int
    /// The first entry that was parked when this began.
    let first: StreamPosition
    /// Everything of the lane up to here is parked, or was passed.
    private(set) var last: StreamPosition
    /// The last entry the lane was fed since it was opened.
    private(set) var cursor = StreamPosition.start
    private var passed = StreamPosition.start
    /// Fed and not passed, oldest first: as much as the lane holds and its inbox.
    private var fed: Deque<Fed> = []
    /// Entries fed so far, for the bound of a replay.
    private(set) var fedCount = 0

    init(_ lane: ParkedLane) {
        (bytes, entries, first, last) = (lane.bytes, lane.entries, lane.first, lane.last)
    }

    /// Takes in what the hand-off says after more was parked.
    mutating func parked(_ lane: ParkedLane) {
        (bytes, entries, last) = (lane.bytes, lane.entries, lane.last)
    }

    /// Whether there is more to feed.
    var hasMore: Bool { cursor < last }
    /// Whether everything was fed and passed.
    var isThrough: Bool { !hasMore && fed.isEmpty }

    mutating func feed(_ entry: LaneEntry) {
        fed.append(
            Fed(
                position: entry.entry.position, nextSequence: entry.nextSequence,
                bytes: entry.entry.payload.readableBytes))
        fedCount += 1
    }

    /// Notes how far a page of entries reached; one that held nothing reached the end.
    mutating func read(through position: StreamPosition?) { cursor = position ?? last }

    /// Passes what lies below a sequence number.
    ///
    /// - Returns: whether anything was passed.
    mutating func pass(below next: UInt64) -> Bool {
        let before = passed
        while let first = fed.first, first.nextSequence <= next {
            passed = first.position
            bytes -= first.bytes
            entries -= 1
            fed.removeFirst()
        }
        return passed > before
    }

    /// What the hand-off may remove now.
    func unparked(of session: SessionID) -> Commit.Unparked {
        Commit.Unparked(session: session, keptFrom: isThrough ? nil : passed.successor)
    }

    /// The lane is opened again: it is fed from its last commit on.
    mutating func restart() {
        cursor = passed
        fed = []
    }
}
