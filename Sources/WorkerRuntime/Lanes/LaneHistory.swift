import EarshotModel

/// What a lane's task remembers of its failures from one attempt to the next.
struct LaneHistory {
    /// How often single entries failed; an entry that is taken in or given up is forgotten.
    private var failures: [StreamPosition: Int] = [:]
    /// Up to here entries are taken in one at a time, so that the one that fails is known.
    private var carefulThrough = StreamPosition.start
    /// The furthest entry any attempt took in.
    private var furthest = StreamPosition.start
    /// Attempts in a row that got no further than the ones before, for the back-off.
    var attempts = 0
    /// Whether the last attempt was to be parked and could not, because the quota was full.
    var isParkingFull = false

    mutating func failed(_ positions: [StreamPosition]) {
        carefulThrough = max(carefulThrough, positions.max() ?? .start)
        // One of several: which one is found by taking them one at a time from now on.
        if positions.count == 1, let position = positions.first { failures[position, default: 0] += 1 }
    }

    /// Notes that entries were taken in: what an attempt has again is no progress.
    mutating func took(through position: StreamPosition) {
        guard position > furthest else { return }
        furthest = position
        attempts = 0
        isParkingFull = false
    }

    mutating func forget(_ position: StreamPosition) { failures[position] = nil }

    func failures(at position: StreamPosition) -> Int { failures[position, default: 0] }

    func isCareful(at position: StreamPosition) -> Bool { position <= carefulThrough }
}
