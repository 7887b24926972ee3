/// Decides which pool takes an exchange, so that no pool has more than a share of one host's connections.
///
/// libcurl looks for a free connection in the list of all that go to the same host and port: at 512 that search alone
/// cost as much as the rest of a small exchange. The connections of a host are shared by the pools, and its exchanges
/// fill one pool before they use the next, so that few exchanges share few connections.
struct PoolChoice {
    /// Connections to one host in a pool; the search through so many costs nothing that can be measured.
    private static let shareMaximum = 64

    /// How many pools there are.
    let pools: Int
    /// Connections to one host in each pool; together at most what the transport may have.
    let share: Int
    /// Exchanges under way in each pool, by host; a host without any is forgotten.
    private var underWay: [String: [Int]] = [:]

    init(connectionsPerHostMaximum: Int) {
        pools = max(1, (connectionsPerHostMaximum + Self.shareMaximum - 1) / Self.shareMaximum)
        share = max(1, connectionsPerHostMaximum / pools)
    }

    /// Returns the number of the pool for an exchange with a host: the first that has room, else the emptiest.
    mutating func take(_ host: String) -> Int {
        let first = Int(UInt(bitPattern: host.hashValue) % UInt(pools))
        let order = (first..<first + pools).lazy.map { [pools] in $0 % pools }
        let counts = underWay[host] ?? Array(repeating: 0, count: pools)
        let pool = order.first { counts[$0] < share } ?? order.min { counts[$0] < counts[$1] } ?? first
        underWay[host, default: counts][pool] += 1
        return pool
    }

    /// Notes that an exchange that `take` gave a pool is over.
    mutating func giveBack(_ pool: Int, of host: String) {
        underWay[host]?[pool] -= 1
        if underWay[host]?.allSatisfy({ $0 == 0 }) == true { underWay[host] = nil }
    }

    /// What stands for a URL's host and port: the URL before its path.
    ///
    /// Two spellings of one host only fill their pools apart; libcurl keeps the limit of each.
    static func host(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        return String(url[..<(url[scheme.upperBound...].firstIndex(of: "/") ?? url.endIndex)])
    }
}
