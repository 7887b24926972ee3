import AudioStreams
import EarshotModel
import TestSupport
import Testing
import WorkerRuntime

@Suite("Position tracker")
struct PositionTrackerTests {
    @Test("Whatever the order of passing, it stands at the last entry before the first one needed", arguments: 1...20)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let began = Commit.Position(position: StreamPosition(milliseconds: 5, sequence: 1), entriesRead: 40)
        var tracker = PositionTracker(position: began.position, entriesRead: began.entriesRead)
        /// The naive model: every entry ever read, and whether it was passed.
        var entries: [(position: StreamPosition, handle: Int, isPassed: Bool)] = []
        for step in 0..<400 {
            if random.chance(0.5) {
                let position = StreamPosition(milliseconds: UInt64(10 + step), sequence: UInt64(step % 3))
                entries.append((position, tracker.append(position), false))
            } else if let index = entries.indices.filter({ !entries[$0].isPassed }).randomElement(using: &random) {
                tracker.pass(entries[index].handle)
                entries[index].isPassed = true
            }
            let done = entries.prefix { $0.isPassed }
            let expected = done.last.map {
                Commit.Position(position: $0.position, entriesRead: began.entriesRead + Int64(done.count))
            }
            #expect(tracker.position == expected ?? began)
            #expect(tracker.pendingCount == entries.count - done.count)
        }
    }
}
