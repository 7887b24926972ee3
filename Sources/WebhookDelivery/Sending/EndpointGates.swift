package import EarshotModel
package import HTTPTransport
import Synchronization

/// The gates of all endpoints one process talks to; a bounded number of them.
package final class EndpointGates: Sendable {
    private let limits: DeliveryLimits
    private let state = Mutex(State())

    private struct State {
        var gates: [UniqueID: EndpointGate] = [:]
        /// Requests under way to endpoints that are not proven.
        var unprovenInFlight = 0

        /// Changes a gate, and counts what it means for the requests.
        mutating func change<Value>(_ endpoint: UniqueID, _ body: (inout EndpointGate) -> Value) -> Value? {
            guard var gate = gates[endpoint] else { return nil }
            unprovenInFlight -= gate.isProven ? 0 : gate.inFlight
            defer {
                unprovenInFlight += gate.isProven ? 0 : gate.inFlight
                gates[endpoint] = gate
            }
            return body(&gate)
        }
    }

    /// More requests that may start to endpoints that are not proven, together.
    package var unprovenRoom: Int { max(0, limits.unprovenSlots - state.withLock(\.unprovenInFlight)) }

    /// Whether an endpoint's last request succeeded.
    package func isProven(_ endpoint: UniqueID) -> Bool {
        state.withLock { $0.gates[endpoint]?.isProven ?? false }
    }

    /// Gates that all let requests through.
    package init(limits: DeliveryLimits) { self.limits = limits }

    /// Requests to an endpoint that may start now.
    package func allowance(of endpoint: UniqueID) -> Int {
        state.withLock { $0.gates[endpoint]?.allowance(now: .now) ?? limits.initialConcurrency }
    }

    /// The earliest instant at which one of some endpoints that are left alone may be probed.
    package func opensAt(_ endpoints: Set<UniqueID>) -> ContinuousClock.Instant? {
        let now = ContinuousClock.now
        return state.withLock { state in endpoints.compactMap { state.gates[$0]?.opensAt(now: now) }.min() }
    }

    /// Starts a request; `nil` when the endpoint is left alone.
    package func begin(_ endpoint: UniqueID) -> CircuitBreaker.Ticket? {
        let now = ContinuousClock.now
        return state.withLock { state in
            if state.gates[endpoint] == nil {
                Self.makeRoom(in: &state.gates, maximum: limits.gatesMaximum)
                state.gates[endpoint] = EndpointGate(limits, now: now)
            }
            return state.change(endpoint) { $0.begin(now: now) } ?? nil
        }
    }

    /// A request ended.
    package func end(
        _ endpoint: UniqueID, _ outcome: EndpointGate.Outcome, _ ticket: CircuitBreaker.Ticket, concurrency: Int
    ) {
        state.withLock { state in
            _ = state.change(endpoint) { $0.end(outcome, ticket, concurrency: concurrency, now: .now) }
        }
    }

    /// Leaves an endpoint alone for a while, because its receiver asked for it.
    package func pause(_ endpoint: UniqueID, for time: Duration) {
        state.withLock { $0.gates[endpoint]?.pause(until: .now + time) }
    }

    /// Forgets an eighth of the gates, those unused longest, so that making room is rare.
    private static func makeRoom(in gates: inout [UniqueID: EndpointGate], maximum: Int) {
        guard gates.count >= maximum else { return }
        let idle = gates.filter { $0.value.inFlight == 0 }.sorted { $0.value.lastUse < $1.value.lastUse }
        for (endpoint, _) in idle.prefix(max(1, maximum / 8)) { gates[endpoint] = nil }
    }
}
