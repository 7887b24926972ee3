/// A partition whose lanes speak in turn; each holds what it absorbed until its unit is whole (C1).
struct ReadingBound {
    /// What counts against the bound.
    enum Rule {
        /// Everything that is not acknowledged.
        case unacknowledged
        /// What was handed to a lane and not absorbed; absorbed entries past the bound make the fullest lane cut.
        case unabsorbed
    }

    let rule: Rule
    let bound: Int
    /// Entries a lane absorbs before it can commit.
    let unit: Int
    /// A lane that waits for a dependency absorbs nothing.
    var waiting: Int?
    /// Entries that such a lane keeps before it drops payloads, to read them again.
    let keptByWaiting: Int
    private(set) var absorbed: [Int]
    private(set) var inbox: [Int]
    private(set) var committed: [Int]

    init(_ rule: Rule, lanes: Int, bound: Int, unit: Int, waiting: Int? = nil, keptByWaiting: Int = 16) {
        self.rule = rule
        self.bound = bound
        self.unit = unit
        self.waiting = waiting
        self.keptByWaiting = keptByWaiting
        absorbed = Array(repeating: 0, count: lanes)
        inbox = absorbed
        committed = absorbed
    }

    private var isReading: Bool {
        switch rule {
        case .unacknowledged: absorbed.reduce(0, +) + inbox.reduce(0, +) < bound
        case .unabsorbed: inbox.reduce(0, +) < bound
        }
    }

    /// Reads one entry of every lane; returns how many were read.
    mutating func round() -> Int {
        var read = 0
        for lane in absorbed.indices {
            guard isReading else { break }
            read += 1
            guard lane == waiting else {
                absorb(lane)
                continue
            }
            if rule == .unacknowledged || inbox[lane] < keptByWaiting { inbox[lane] += 1 }
        }
        return read
    }

    private mutating func absorb(_ lane: Int) {
        absorbed[lane] += 1
        if absorbed[lane] >= unit { cut(lane) }
        guard rule == .unabsorbed, absorbed.reduce(0, +) >= bound else { return }
        if let fullest = absorbed.indices.max(by: { absorbed[$0] < absorbed[$1] }) { cut(fullest) }
    }

    private mutating func cut(_ lane: Int) {
        committed[lane] += absorbed[lane]
        absorbed[lane] = 0
    }
}
