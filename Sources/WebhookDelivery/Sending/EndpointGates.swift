package import EarshotModel
package import HTTPTransport
import Synchronization

/// The gates of all endpoints one process talks to; a bounded number of them.
package final class EndpointGates: Sendable {
    private let limits: DeliveryLimits
    private let gates = Mutex<[UniqueID: EndpointGate]>([:])

    /// Gates that all let requests through.
    package init(limits: DeliveryLimits) { self.limits = limits }

    /// Requests to an endpoint that may start now.
    package func allowance(of endpoint: UniqueID) -> Int {
        gates.withLock { $0[endpoint]?.allowance(now: .now) ?? limits.initialConcurrency }
    }

    /// The earliest instant at which one of some endpoints that are left alone may be probed.
    package func opensAt(_ endpoints: Set<UniqueID>) -> ContinuousClock.Instant? {
        let now = ContinuousClock.now
        return gates.withLock { gates in endpoints.compactMap { gates[$0]?.opensAt(now: now) }.min() }
    }

    /// Starts a request; `nil` when the endpoint is left alone.
    package func begin(_ endpoint: UniqueID) -> CircuitBreaker.Ticket? {
        let now = ContinuousClock.now
        return gates.withLock { gates in
            if gates[endpoint] == nil {
                Self.makeRoom(in: &gates, maximum: limits.gatesMaximum)
                gates[endpoint] = EndpointGate(limits, now: now)
            }
            return gates[endpoint]?.begin(now: now)
        }
    }

    /// A request ended.
    package func end(
        _ endpoint: UniqueID, _ outcome: EndpointGate.Outcome, _ ticket: CircuitBreaker.Ticket, concurrency: Int
    ) {
        gates.withLock { $0[endpoint]?.end(outcome, ticket, concurrency: concurrency, now: .now) }
    }

    /// Leaves an endpoint alone for a while, because its receiver asked for it.
    package func pause(_ endpoint: UniqueID, for time: Duration) {
        gates.withLock { $0[endpoint]?.pause(until: .now + time) }
    }

    /// Forgets an eighth of the gates, those unused longest, so that making room is rare.
    private static func makeRoom(in gates: inout [UniqueID: EndpointGate], maximum: Int) {
        guard gates.count >= maximum else { return }
        let idle = gates.filter { $0.value.inFlight == 0 }.sorted { $0.value.lastUse < $1.value.lastUse }
        for (endpoint, _) in idle.prefix(max(1, maximum / 8)) { gates[endpoint] = nil }
    }
}
