import EarshotModel

/// Each message of a whole session reached the workers, none was invented.
struct MessageChecker: Checker {
    let name = "messages"

    func check(_ evidence: Evidence) async throws -> CheckResult {
        var violations: [String] = []
        let ended = evidence.events(.sessionEnded)
        var sent = 0
        var arrived: UInt64 = 0
        var whole = 0.0
        for (session, outcome) in evidence.sessions {
            guard let frames = ended[session]?.first?.frames else { continue }
            sent += outcome.sentMessages
            arrived += frames
            if outcome.isWhole { whole += 1 }
            let isRight = outcome.isWhole ? frames == outcome.sentMessages : frames <= outcome.sentMessages
            if !isRight {
                violations.append(
                    "\(session): \(outcome.sentMessages) sent, \(frames) arrived, whole: \(outcome.isWhole)")
            }
        }
        let figures = ["sent": Double(sent), "arrived": Double(arrived), "whole_sessions": whole]
        return CheckResult(name, figures: figures, violations: violations)
    }
}
