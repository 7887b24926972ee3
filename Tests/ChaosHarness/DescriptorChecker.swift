/// (d) No process has more files open than before.
struct DescriptorChecker: Checker {
    let name = "descriptors"
    /// Pools keep connections they needed a moment ago, Postgres's up to 30: no leak, one for each session or fault
    /// would be.
    static let growthMaximum = 40

    func check(_ evidence: Evidence) async throws -> CheckResult {
        var violations: [String] = []
        var figures: [String: Double] = [:]
        for (node, after) in evidence.descriptorsAfter {
            let before = evidence.descriptorsBefore[node] ?? 0
            figures[node] = Double(after - before)
            if after - before > Self.growthMaximum {
                violations.append("\(node): \(before) descriptors before, \(after) after")
            }
        }
        for node in evidence.descriptorsBefore.keys where evidence.descriptorsAfter[node] == nil {
            violations.append("\(node): not running at the end")
        }
        return CheckResult(name, figures: figures, violations: violations)
    }
}
