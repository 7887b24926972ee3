/// Shares free slots fairly among the endpoints that have deliveries due.
package struct ClaimPlan: Equatable, Sendable {
    /// What is known of an endpoint with deliveries.
    package struct Candidate: Equatable, Sendable {
        package var endpoint: String
        /// Deliveries due now, counted up to the free slots.
        package var due: Int
        /// Requests it may get at once, in the whole fleet, and those it has.
        package var concurrency: Int
        package var inFlight: Int
        /// Requests a second, and Unix µs before which the next would be too early (a leaky bucket, GCRA).
        package var rate: Int
        package var nextAt: Int64

        /// Makes a candidate.
        package init(endpoint: String, due: Int, concurrency: Int, inFlight: Int, rate: Int, nextAt: Int64) {
            self.endpoint = endpoint
            self.due = due
            self.concurrency = concurrency
            self.inFlight = inFlight
            self.rate = rate
            self.nextAt = nextAt
        }
    }

    /// What an endpoint gets, and its `nextAt` afterwards.
    package struct Share: Equatable, Sendable {
        package var endpoint: String
        package var count: Int
        package var nextAt: Int64
    }

    package private(set) var shares: [Share] = []
    /// Unix µs at which an endpoint that waits for its rate may get more; `nil` when none does.
    package private(set) var paceAt: Int64?

    /// Seconds of its rate that an endpoint may get at once after a rest.
    private static let burstSeconds: Int64 = 1

    /// Makes a plan.
    ///
    /// - Parameters:
    ///   - candidates: Endpoints with deliveries due, in any order; earlier ones get what cannot be shared evenly.
    ///   - slots: Free slots.
    ///   - slotsMaximum: All slots; no endpoint gets more than a quarter of them.
    ///   - allowances: What this process' gates allow; an endpoint that is absent may have as much as it wants.
    ///   - proven: Endpoints whose last request succeeded.
    ///   - unprovenRoom: What all others may have together.
    ///   - now: Unix µs.
    package init(
        _ candidates: [Candidate], slots: Int, slotsMaximum: Int, allowances: [String: Int], proven: Set<String> = [],
        unprovenRoom: Int = .max, now: Int64
    ) {
        var open: [(candidate: Candidate, most: Int, count: Int)] = []
        for candidate in candidates {
            let paced = Self.tokens(of: candidate, now: now)
            let most = min(
                candidate.due, candidate.concurrency - candidate.inFlight, allowances[candidate.endpoint] ?? .max,
                max(1, slotsMaximum / 4))
            if paced < most {
                let at = candidate.nextAt - (Self.burstSeconds * Int64(candidate.rate) - 1) * Self.interval(candidate)
                paceAt = min(paceAt ?? .max, max(at, now))
            }
            if min(most, paced) > 0 { open.append((candidate, min(most, paced), 0)) }
        }
        var left = slots
        var unprovenLeft = unprovenRoom
        while left > 0 {
            var gave = false
            for index in open.indices where left > 0 && open[index].count < open[index].most {
                if !proven.contains(open[index].candidate.endpoint) {
                    guard unprovenLeft > 0 else { continue }
                    unprovenLeft -= 1
                }
                open[index].count += 1
                left -= 1
                gave = true
            }
            guard gave else { break }
        }
        for entry in open where entry.count > 0 {
            let next = max(entry.candidate.nextAt, now) + Int64(entry.count) * Self.interval(entry.candidate)
            shares.append(Share(endpoint: entry.candidate.endpoint, count: entry.count, nextAt: next))
        }
    }

    private static func interval(_ candidate: Candidate) -> Int64 { 1_000_000 / Int64(max(1, candidate.rate)) }

    /// Requests the rate allows now.
    private static func tokens(of candidate: Candidate, now: Int64) -> Int {
        let ahead = max(0, candidate.nextAt - now)
        let burst = burstSeconds * Int64(max(1, candidate.rate)) * interval(candidate)
        return Int(max(0, burst - ahead) / interval(candidate))
    }
}
