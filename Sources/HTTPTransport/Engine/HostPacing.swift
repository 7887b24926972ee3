import DequeModule

/// Decides when exchanges begin: no host has more under way than it needs to answer without a wait.
///
/// The first 64 of a host begin at once. One more waits until one of those ends, at most 25 ms: then the host is slow,
/// and from there on has one more at a time. A host that answers at once never comes that far. For it more connections
/// are no gain but a loss: libcurl looks for a free one among all of the host, and 512 exchanges that take turns do not
/// fit into a processor's caches, which costs a third of the throughput.
///
/// Pure; what a host needed is forgotten every second, so that it is found out anew.
struct HostPacing {
    /// Exchanges with a host that begin at once.
    static let levelMinimum = 64
    /// How long one more waits: what 64 at a time need for a thousand, the most there are.
    static let patience: Duration = .milliseconds(25)
    /// How long a host keeps what it needed.
    static let memory: Duration = .seconds(1)

    private struct Host {
        var underWay = 0
        var level = levelMinimum
        var waiting: Deque<UInt64> = []
    }

    private struct Wait {
        let id: UInt64
        let host: String
        let since: ContinuousClock.Instant
    }

    /// A host without any exchange is forgotten.
    private var hosts: [String: Host] = [:]
    /// All that wait, in the order in which they came; those that do not any more are passed by.
    private var order: Deque<Wait> = []
    private var waiting: Set<UInt64> = []
    private var forgottenAt: ContinuousClock.Instant?

    /// When the next one has waited for long enough.
    var due: ContinuousClock.Instant? { order.first.map { $0.since + Self.patience } }

    /// Takes in an exchange; whether it begins now.
    mutating func offer(_ id: UInt64, to host: String, at now: ContinuousClock.Instant) -> Bool {
        var state = hosts[host] ?? Host()
        defer { hosts[host] = state }
        guard state.underWay >= state.level else {
            state.underWay += 1
            return true
        }
        state.waiting.append(id)
        waiting.insert(id)
        order.append(Wait(id: id, host: host, since: now))
        return false
    }

    /// Takes back an exchange that waits.
    mutating func withdraw(_ id: UInt64) { waiting.remove(id) }

    /// Notes that an exchange is over; returns the one that begins instead.
    mutating func ended(with host: String) -> UInt64? {
        guard var state = hosts[host] else { return nil }
        state.underWay -= 1
        var next: UInt64?
        while next == nil, state.underWay < state.level, let id = state.waiting.popFirst() {
            next = waiting.remove(id)
        }
        if next != nil { state.underWay += 1 }
        hosts[host] = state.underWay == 0 && state.waiting.isEmpty ? nil : state
        return next
    }

    /// Returns those that have waited for long enough; they begin now.
    mutating func expire(at now: ContinuousClock.Instant) -> [UInt64] {
        if now - (forgottenAt ?? now) >= Self.memory {
            for host in hosts.keys { hosts[host]?.level = Self.levelMinimum }
            forgottenAt = nil
        }
        forgottenAt = forgottenAt ?? now
        var expired: [UInt64] = []
        while let first = order.first, !waiting.contains(first.id) || first.since + Self.patience <= now {
            order.removeFirst()
            guard waiting.remove(first.id) != nil, var state = hosts[first.host] else { continue }
            while let stale = state.waiting.first, !waiting.contains(stale) { state.waiting.removeFirst() }
            state.underWay += 1
            state.level = max(state.level, state.underWay)
            hosts[first.host] = state
            expired.append(first.id)
        }
        return expired
    }
}
