package import EarshotModel
import WorkerRuntime

/// Tells which gateways are dead: lapsed, superseded by a later start of their name, or gone from the members.
///
/// Pure; fed with the members' beats. A coordinator ends the sessions of a dead gateway only (protocol.md H1, H11).
package struct GatewayWatch: Sendable {
    private let limits: Limits
    private var beats = LapseObserver<String, Int64>()
    private var current: [String: String] = [:]

    /// A watch that has seen nothing.
    package init(limits: Limits) { self.limits = limits }

    /// Takes in the members' beats.
    package mutating func sawMembers(_ members: [String: Int64], at now: ContinuousClock.Instant) {
        beats.observe(members, at: now)
        current = [:]
        for member in members.keys { if let name = Incarnation(member)?.name { current[name] = member } }
    }

    /// Notes that Redis could not be asked: nothing has lapsed that may only have been unseen.
    package mutating func contactLost(at now: ContinuousClock.Instant) { beats.contactLost(at: now) }

    /// How a gateway that a live session names is known to be dead.
    package enum Death: String, Sendable {
        /// Its beat stood still.
        case lapsed = "gateway_lapsed"
        /// A later start of its name ended it.
        case superseded = "gateway_superseded"
        /// It is in no member set, and stays away.
        case absent = "gateway_absent"
    }

    /// Whether a gateway that a live session names is dead, and how that is known.
    package mutating func death(of gateway: String, at now: ContinuousClock.Instant) -> Death? {
        if beats.value(of: gateway) != nil {
            return beats.hasLapsed(gateway, after: limits.gatewayLapse, at: now) ? .lapsed : nil
        }
        // A later start of the same name ended this one; without one, the absence itself must last. One that does not
        // beat may be the earlier one, which a Redis remembers that lost its last writes (protocol.md C4).
        if let name = Incarnation(gateway)?.name, let successor = current[name], beats.hasChanged(successor),
            !beats.hasLapsed(successor, after: limits.gatewayLapse, at: now)
        {
            return .superseded
        }
        return beats.hasBeenAbsent(gateway, for: limits.gatewayLapse, at: now) ? .absent : nil
    }

    /// Forgets gateways no live session names any more.
    package mutating func forgetAbsent(except named: Set<String>) { beats.forgetAbsences(except: named) }
}
