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

    /// Whether a gateway that a live session names is dead.
    package mutating func isDead(_ gateway: String, at now: ContinuousClock.Instant) -> Bool {
        if beats.value(of: gateway) != nil {
            return beats.hasLapsed(gateway, after: limits.gatewayLapse, at: now)
        }
        // A later start of the same name ended this one; without one, the absence itself must last.
        if let name = Incarnation(gateway)?.name, let successor = current[name], successor != gateway { return true }
        return beats.hasBeenAbsent(gateway, for: limits.gatewayLapse, at: now)
    }

    /// Forgets gateways no live session names any more.
    package mutating func forgetAbsent(except named: Set<String>) { beats.forgetAbsences(except: named) }
}
