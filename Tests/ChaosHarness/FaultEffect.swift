/// A fault that took effect, and when it really did: a process that is just starting again is hit a little later.
package struct FaultEffect: Equatable, Sendable {
    package var fault: Fault
    /// Seconds of the run.
    package var began: Double
    package var ended: Double

    /// Makes one.
    package init(_ fault: Fault, began: Double, ended: Double) {
        self.fault = fault
        self.began = began
        self.ended = ended
    }
}

/// What became of a plan's faults: only those that took effect prove anything.
package struct FaultTally: Sendable {
    /// Why a fault did nothing.
    package enum Skip: String, Sendable, CaseIterable {
        /// Its target still suffered from the fault before.
        case busy
        /// Its process did not run, or it or its connection was gone at that moment.
        case gone
    }

    /// Share of the plan that has to take effect: 60 faults of the 100 that ten minutes have (issue 4, acceptance 1).
    package static let shareMinimum = 0.6

    package let planned: Int
    package var effects: [FaultEffect] = []
    package var skipped: [Skip: Int] = [:]

    /// A tally of a plan of so many.
    package init(planned: Int) { self.planned = planned }

    /// Why the run proves too little, or nil.
    package var violation: String? {
        guard Double(effects.count) < Double(planned) * Self.shareMinimum else { return nil }
        return "\(effects.count) of \(planned) faults took effect, fewer than \(Int(Self.shareMinimum * 100)) %"
    }
}

/// Enough of the planned faults took effect.
struct FaultChecker: Checker {
    let name = "faults"

    func check(_ evidence: Evidence) async throws -> CheckResult {
        let tally = evidence.tally
        var figures = ["planned": Double(tally.planned), "took_effect": Double(tally.effects.count)]
        for (reason, count) in tally.skipped { figures["skipped_\(reason.rawValue)"] = Double(count) }
        return CheckResult(name, figures: figures, violations: tally.violation.map { [$0] } ?? [])
    }
}
