import EarshotClient
import EarshotModel

/// Each message of a whole session reached the workers, none was invented; and of native devices each one that was
/// acknowledged, over all sessions of its upload.
struct MessageChecker: Checker {
    let name = "messages"

    func check(_ evidence: Evidence) async throws -> CheckResult {
        var violations: [String] = []
        var figures: [String: Double] = [:]
        let ended = evidence.events(.sessionEnded)
        checkSessions(evidence, ended, &figures, &violations)
        checkUploads(evidence, ended, &figures, &violations)
        return CheckResult(name, figures: figures, violations: violations)
    }

    private func checkSessions(
        _ evidence: Evidence, _ ended: [String: [SessionEvent]], _ figures: inout [String: Double],
        _ violations: inout [String]
    ) {
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
        figures["sent"] = Double(sent)
        figures["arrived"] = Double(arrived)
        figures["whole_sessions"] = whole
    }

    private func checkUploads(
        _ evidence: Evidence, _ ended: [String: [SessionEvent]], _ figures: inout [String: Double],
        _ violations: inout [String]
    ) {
        let chains = evidence.chains
        for upload in evidence.uploads {
            let sessions = chains.sessions(with: upload.sessions)
            let arrived: UInt64 = sessions.reduce(0) { $0 + (ended[$1]?.first?.frames ?? 0) }
            figures["native_sent", default: 0] += Double(upload.messages)
            figures["native_acknowledged", default: 0] += Double(upload.acknowledged)
            figures["native_arrived", default: 0] += Double(arrived)
            figures["native_resent", default: 0] += Double(upload.resent)
            figures["native_reconnects", default: 0] += Double(upload.report?.reconnectCount ?? 0)
            let least = upload.isWhole ? upload.messages : upload.acknowledged
            if arrived < least || arrived > max(least, upload.messages) {
                violations.append(
                    "\(upload.name): \(upload.messages) sent, \(upload.acknowledged) acknowledged, \(arrived) arrived")
            }
        }
    }
}
