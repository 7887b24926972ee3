import DequeModule

/// Decides when exchanges begin: no host has more under way than it needs to answer without a wait.
///
/// The first 64 of a host begin at once. One more waits until one of those ends, at most 25 ms: then the host is slow,
/// and from there on has one more at a time. A host that answers at once never comes that far. For it more connections
/// are no gain but a loss: libcurl looks for a free one among all of the host, and 512 exchanges that take turns do not
/// fit into a processor's caches, which costs a third of the throughput.
///
/// Pure; what a host needed is forgotten every second, so that it is found out anew.
struct HostPacing<Exchange> {
    /// Exchanges with a host that begin at once.
    static var levelMinimum: Int { 64 }
    /// How long one more waits: what 64 at a time need for a thousand, the most there are.
    static var patience: Duration { .milliseconds(25) }
    /// How long a host keeps what it needed.
    static var memory: Duration { .seconds(1) }

    private struct Host {
        var underWay = 0
        var level = HostPacing.levelMinimum
    }

    private struct Waiter {
        let id: UInt64
        let exchange: Exchange
        let since: ContinuousClock.Instant
    }

    /// Those with an exchange under way.
    private var hosts: [String: Host] = [:]
    /// Those that wait for a host, as they came; few hosts have any, as 64 are under way for each.
    private var waiting: [String: Deque<Waiter>] = [:]
    private var forgottenAt: ContinuousClock.Instant?

    /// When the next one has waited for long enough.
    var due: ContinuousClock.Instant? { waiting.values.compactMap(\.first?.since).min().map { $0 + Self.patience } }

    /// Whether an exchange begins now; if not it waits here.
    mutating func offer(_ exchange: Exchange, _ id: UInt64, to host: String, at now: ContinuousClock.Instant) -> Bool {
        let state = hosts[host, default: Host()]
        guard state.underWay >= state.level else {
            hosts[host, default: state].underWay += 1
            return true
        }
        waiting[host, default: []].append(Waiter(id: id, exchange: exchange, since: now))
        return false
    }

    /// Takes back an exchange that waits; `nil` when it does not.
    mutating func withdraw(_ id: UInt64) -> Exchange? {
        for host in Array(waiting.keys) {
            guard let index = waiting[host]?.firstIndex(where: { $0.id == id }) else { continue }
            return remove(at: index, of: host)
        }
        return nil
    }

    /// Takes back all that wait.
    mutating func withdrawAll() -> [Exchange] {
        defer { waiting = [:] }
        return waiting.values.flatMap { $0.map(\.exchange) }
    }

    /// Notes that an exchange is over; returns the one that begins instead.
    mutating func ended(with host: String) -> Exchange? {
        guard let state = hosts[host] else { return nil }
        if state.underWay <= state.level, let next = remove(at: 0, of: host) { return next }
        hosts[host] = state.underWay == 1 ? nil : Host(underWay: state.underWay - 1, level: state.level)
        return nil
    }

    /// Returns those that have waited for long enough; they begin now.
    mutating func expire(at now: ContinuousClock.Instant) -> [Exchange] {
        if now - (forgottenAt ?? now) >= Self.memory {
            for host in hosts.keys { hosts[host]?.level = Self.levelMinimum }
            forgottenAt = nil
        }
        forgottenAt = forgottenAt ?? now
        guard let due, due <= now else { return [] }
        var expired: [Exchange] = []
        for host in Array(waiting.keys) {
            while let first = waiting[host]?.first, first.since + Self.patience <= now,
                let next = remove(at: 0, of: host)
            {
                let underWay = (hosts[host]?.underWay ?? 0) + 1
                hosts[host] = Host(underWay: underWay, level: max(underWay, hosts[host]?.level ?? 0))
                expired.append(next)
            }
        }
        return expired
    }

    private mutating func remove(at index: Int, of host: String) -> Exchange? {
        guard !waiting.isEmpty else { return nil }
        // In place, so that nothing else may hold the queues: a copy costs as much as there wait.
        let exchange = waiting[host]?.remove(at: index).exchange
        if waiting[host]?.isEmpty == true { waiting[host] = nil }
        return exchange
    }
}
