package import EarshotModel

/// When a gateway may be called dead, and whose sessions must end so, by the faults that took effect.
package struct GatewayDeaths: Sendable {
    /// What happened to one session, in seconds of the run.
    package struct Life: Sendable {
        package var session: String
        /// The name of its gateway.
        package var gateway: String
        package var reason: String
        package var began: Double
        package var ended: Double

        /// Makes one.
        package init(session: String, gateway: String, reason: String, began: Double, ended: Double) {
            self.session = session
            self.gateway = gateway
            self.reason = reason
            self.began = began
            self.ended = ended
        }
    }

    /// From a gateway's death to the end of its last session (issue 4, acceptance 2): the lapse, and the round in which
    /// a coordinator acts on it.
    private static let patience = 15.0
    /// What lies between two clocks' readings of one moment.
    private static let slack = 0.5

    private let effects: [FaultEffect]
    private let limits: Limits

    /// Reads what happened.
    package init(_ effects: [FaultEffect], limits: Limits = Limits()) {
        self.effects = effects.sorted { $0.began < $1.began }
        self.limits = limits
    }

    /// Whether a fault of its gateway explains that a session ended as a dead gateway's, when it did.
    ///
    /// The session had begun before the fault was over, and ended no later than a coordinator needs to see it; one that
    /// could not look meanwhile, because it or Redis was hit, too, counts from when it could again.
    package func explain(_ life: Life) -> Bool {
        effects.contains { effect in
            guard effect.fault.target == life.gateway, effect.began <= life.ended + Self.slack else { return false }
            let over = end(of: effect)
            return life.began <= over.own + Self.slack && life.ended <= over.seen + Self.slack
        }
    }

    /// SIGKILLs of gateways, and of the sessions that were live on them those that ended otherwise than of it.
    ///
    /// - Returns: How many gateways were killed, how many sessions were live on them, and whose reason is another.
    package func killed(_ lives: [Life]) -> (kills: Int, sessions: Int, others: [Life]) {
        let kills = effects.filter { $0.fault.kind == .kill && $0.fault.target.hasPrefix("gateway") }
        // A device that comes back earlier than the lapse ends its own session by going on from it (protocol.md H9).
        let reasons = [EndReason.gatewayDead, .superseded].map(\.name)
        let hit = lives.filter { life in
            kills.contains {
                $0.fault.target == life.gateway && life.began + Self.slack < $0.began
                    && $0.ended + Self.slack < life.ended
            }
        }
        return (kills.count, hit.count, hit.filter { !reasons.contains($0.reason) })
    }

    /// When a fault is over for its gateway, and until when its coordinators may see that it was.
    private func end(of effect: FaultEffect) -> (own: Double, seen: Double) {
        let fault = effect.fault
        var own = effect.ended
        if fault.kind == .restart { own += limits.drainBudget.seconds }
        // A process that is not killed goes on: sessions begin on it while its beats do not get through, or not again.
        if fault.kind != .kill { own += limits.gatewayLapse.seconds }
        var seen = own + Self.patience
        for other in effects where other.began <= seen && other.ended >= effect.began && Self.blinds(other.fault) {
            seen = max(seen, other.ended + Self.patience)
        }
        return (own, seen)
    }

    private static func blinds(_ fault: Fault) -> Bool {
        fault.target == "redis" || fault.target.hasPrefix("coordinator")
    }
}
