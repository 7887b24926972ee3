import EarshotModel

/// (g) Each request for a voice sample had exactly one outcome.
struct SampleChecker: Checker {
    let name = "samples"

    func check(_ evidence: Evidence) async throws -> CheckResult {
        guard evidence.stage.fleet.roles["speaker-sample"] != nil else {
            return CheckResult(name, missing: "no process speaker-sample in the fleet")
        }
        let results = evidence.events.events.filter {
            $0.type == .speakerSampleStored || $0.type == .speakerSampleRejected
        }
        let outcomes = Dictionary(grouping: results) { $0.sample?.request ?? "" }
        var figures = ["requests": Double(evidence.samples.count)]
        var violations: [String] = []
        for request in evidence.samples {
            let ids = Set((outcomes[request.id] ?? []).map(\.id))
            if ids.count != 1 { violations.append("\(request.id): \(ids.count) outcomes") }
            for result in outcomes[request.id] ?? [] {
                figures[result.sample?.outcome.rawValue ?? "unknown", default: 0] += 1
            }
        }
        return CheckResult(name, figures: figures, violations: violations)
    }
}
