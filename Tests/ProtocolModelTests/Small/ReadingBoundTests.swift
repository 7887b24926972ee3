import Testing

@Suite("Protocol model: the bound of reading")
struct ReadingBoundTests {
    @Test("C1: all lanes in the middle of a unit do not stop the partition", arguments: [true, false])
    func inPhase(followsTheRule: Bool) {
        var partition = ReadingBound(
            followsTheRule ? .unabsorbed : .unacknowledged, lanes: 156, bound: 5_000, unit: 100)
        let rounds = (0..<300).map { _ in partition.round() }
        #expect((rounds.last == 156) == followsTheRule)
        let committed = partition.committed.allSatisfy { $0 > 0 }
        #expect(committed == followsTheRule)
    }

    @Test("C1: a lane that waits for its storage does not stop its neighbours", arguments: [true, false])
    func waitingLane(followsTheRule: Bool) {
        var partition = ReadingBound(
            followsTheRule ? .unabsorbed : .unacknowledged, lanes: 10, bound: 200, unit: 4, waiting: 3)
        let rounds = (0..<1_000).map { _ in partition.round() }
        #expect((rounds.last == 10) == followsTheRule)
    }
}
