import EarshotModel

/// A lease in memory, with what is counted against the entries that owners left behind (protocol.md H5).
struct InMemoryLease {
    var token: FencingToken
    var beat: Int64 = 0
    var owner: String
    var isReleased = false
    var number: Int64 = 0
    var hand: String?
    private(set) var crashes: [String: Int] = [:]
    /// The lapses that were counted, with the entry that was in hand.
    private var lapses: [FencingToken: String] = [:]

    init(token: FencingToken, owner: String) {
        self.token = token
        self.owner = owner
    }

    mutating func inherit(_ old: InMemoryLease, isLapsed: Bool) {
        (crashes, lapses) = (old.crashes, old.lapses)
        guard isLapsed, let hand = old.hand else { return }
        crashes[hand, default: 0] += 1
        lapses[old.token] = hand
    }

    mutating func renew(_ token: FencingToken, isSettled: Bool) -> Bool {
        guard token == self.token else {
            takeBack(token)
            return false
        }
        beat += 1
        if isSettled { lapses = [:] }
        return true
    }

    mutating func takeBack(_ token: FencingToken) {
        if let hand = lapses.removeValue(forKey: token) {
            let count = crashes[hand, default: 0] - 1
            crashes[hand] = count > 0 ? count : nil
        }
    }

    mutating func acquit(_ hand: String) {
        crashes[hand] = nil
        lapses = lapses.filter { $0.value != hand }
    }
}
