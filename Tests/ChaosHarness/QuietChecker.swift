/// (c) Soon after the last device goes nothing is left of anybody.
struct QuietChecker: Checker {
    let name = "quiet"
    /// Issue 4, section 5.
    static let secondsMaximum = 10.0

    func check(_ evidence: Evidence) async throws -> CheckResult {
        var figures: [String: Double] = [:]
        var violations: [String] = []
        for (condition, time) in evidence.quiet.conditions {
            guard let time else {
                violations.append("\(condition): \(evidence.quiet.left[condition] ?? 0) left")
                continue
            }
            figures["\(condition)_s"] = time
            if time > Self.secondsMaximum {
                violations.append("\(condition): gone only after \(time) s, allowed are \(Self.secondsMaximum)")
            }
        }
        if let total = evidence.quiet.total { figures["all_s"] = total }
        return CheckResult(name, figures: figures, violations: violations)
    }
}
