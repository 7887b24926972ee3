import EarshotModel

/// (h) The windows of live audio of each session came all, and a repeated one under its own id with its own bytes.
struct AudioWindowChecker: Checker {
    let name = "audio_windows"

    func check(_ evidence: Evidence) async throws -> CheckResult {
        if let missing = evidence.receiverMissing { return CheckResult(name, missing: missing) }
        guard evidence.stage.fleet.roles["audio-bytes"] != nil else {
            return CheckResult(name, missing: "no process audio-bytes in the fleet")
        }
        var violations: [String] = []
        var numbers: [String: Set<Int>] = [:]
        var requests = 0
        for (id, window) in evidence.receiver.windows {
            requests += window.count
            if window.bodies.count > 1 { violations.append("\(id): came with \(window.bodies.count) different bodies") }
            numbers[window.session, default: []].insert(window.sequence)
        }
        for (session, sequence) in numbers {
            guard let first = sequence.min(), let last = sequence.max() else { continue }
            if first != 0 || sequence.count != last + 1 {
                violations.append("\(session): \(sequence.count) windows of \(first) to \(last)")
            }
        }
        for (session, events) in evidence.events(.sessionEnded) where numbers[session] == nil {
            if events.first?.frames ?? 0 > 0 { violations.append("\(session): no window came") }
        }
        return CheckResult(
            name, figures: ["requests": Double(requests), "sessions": Double(numbers.count)], violations: violations)
    }
}
