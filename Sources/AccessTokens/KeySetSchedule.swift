/// Decides when a key set from a URL is fetched again: no I/O and no clock.
struct KeySetSchedule: Sendable {
    /// Bounds of how long a fetched set is fresh: whatever the server says, keys can be withdrawn within an hour,
    /// and it is not asked more than once a minute.
    var freshMinimum: Duration = .seconds(60)
    var freshMaximum: Duration = .seconds(3600)
    /// How long a set is fresh when the server does not say.
    var freshDefault: Duration = .seconds(300)
    /// After a failed fetch; longer than a fetch takes.
    var retryInterval: Duration = .seconds(10)
    /// Least time between two fetches that unknown key ids cause: anybody can send those.
    var unknownKeyInterval: Duration = .seconds(30)

    /// When to fetch next; at once in the beginning.
    private(set) var due: ContinuousClock.Instant?
    /// When an unknown key id last caused one.
    private var lastDemanded: ContinuousClock.Instant?

    /// Whether an unknown key id may cause a fetch now.
    func mayFetchForUnknownKey(now: ContinuousClock.Instant) -> Bool {
        lastDemanded.map { now - $0 >= unknownKeyInterval } ?? true
    }

    mutating func began(forUnknownKey isDemanded: Bool, now: ContinuousClock.Instant) {
        if isDemanded { lastDemanded = now }
        // Nobody need come again while it is under way.
        due = now + retryInterval
    }

    mutating func succeeded(cacheControl: String?, now: ContinuousClock.Instant) {
        let fresh = cacheControl.flatMap(Self.maximumAge) ?? freshDefault
        due = now + min(max(fresh, freshMinimum), freshMaximum)
    }

    mutating func failed(now: ContinuousClock.Instant) {
        due = now + retryInterval
    }

    /// The age a `Cache-Control` value allows (RFC 9111, 5.2.2); zero when it forbids to keep the answer.
    static func maximumAge(_ cacheControl: String) -> Duration? {
        var age: Duration?
        for directive in cacheControl.lowercased().split(separator: ",") {
            let text = directive.filter { !$0.isWhitespace && $0 != "\"" }
            if text == "no-store" || text == "no-cache" { return .zero }
            guard text.hasPrefix("max-age="), let seconds = UInt32(text.dropFirst("max-age=".count)) else { continue }
            age = .seconds(Int64(seconds))
        }
        return age
    }
}
