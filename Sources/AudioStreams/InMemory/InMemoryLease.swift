import EarshotModel

/// A lease in memory, with what is counted against the entries that owners left behind (protocol.md H5).
struct InMemoryLease {
    var token: FencingToken
    var beat: Int64 = 0
    var owner: String
    var isReleased = false
    var number: Int64 = 0
    var hand: String?
    /// Up to here the owner had absorbed everything at its last renewal; `nil` while it replays.
    var absorbed: StreamPosition?
    private var crashes: [String: Int] = [:]
    /// The lapses that were counted, with the entry that was in hand.
    private var lapses: [FencingToken: String] = [:]
    /// The lapse that named nobody: any entry behind its owner's absorbed ones may be to blame.
    private var unnamed: (absorbed: StreamPosition, owner: FencingToken)?

    init(token: FencingToken, owner: String) {
        self.token = token
        self.owner = owner
    }

    mutating func inherit(_ old: InMemoryLease, isLapsed: Bool) {
        (crashes, lapses, unnamed) = (old.crashes, old.lapses, old.unnamed)
        guard isLapsed else { return }
        if let hand = old.hand {
            crashes[hand, default: 0] += 1
            lapses[old.token] = hand
        } else if let absorbed = old.absorbed {
            unnamed = (absorbed, old.token)
        }
    }

    var countedCrashes: [String: Int] {
        var counted = crashes
        for hand in crashes.keys {
            guard let unnamed, let at = hand.split(separator: "@").last.flatMap({ StreamPosition($0) }),
                at > unnamed.absorbed
            else { continue }
            counted[hand, default: 0] += 1
        }
        return counted
    }

    mutating func renew(_ token: FencingToken, absorbed: StreamPosition?) -> Bool {
        guard token == self.token else {
            takeBack(token)
            return false
        }
        beat += 1
        guard let absorbed else { return true }
        self.absorbed = absorbed
        lapses = [:]
        unnamed = nil
        return true
    }

    mutating func takeBack(_ token: FencingToken) {
        if let hand = lapses.removeValue(forKey: token) {
            let count = crashes[hand, default: 0] - 1
            crashes[hand] = count > 0 ? count : nil
        }
        if unnamed?.owner == token { unnamed = nil }
    }

    mutating func acquit(_ hand: String) {
        crashes[hand] = nil
        lapses = lapses.filter { $0.value != hand }
    }
}
