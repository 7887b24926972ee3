import EarshotClient
import EarshotModel

/// (a) Each session's segments are there once, in order, and say what the same audio says undisturbed.
struct TranscriptChecker: Checker {
    let name = "transcript"
    /// A check that leaves out more of what there was to compare says nothing.
    private static let leftOutMaximum = 0.1

    /// What is known of all sessions.
    private struct Known {
        var spoken: [String: [TranscriptSegment]]
        var frames: [String: UInt64]
        var references: [Int: Utterances]

        func heard(_ sessions: [String]) -> [String] { sessions.flatMap { spoken[$0] ?? [] }.map(\.text) }
    }

    /// What was found so far.
    private struct Tally {
        var figures = [
            "compared": 0.0, "left_out": 0, "identical": 0, "stalled_identical": 0, "stalled_differ": 0, "cut": 0,
            "words_differ_max_percent": 0,
        ]
        var violations: [String] = []

        mutating func note(_ finding: Utterances.Finding, of name: String, isStalled: Bool) {
            figures["compared", default: 0] += 1
            switch finding {
            case .identical: figures[isStalled ? "stalled_identical" : "identical", default: 0] += 1
            case .differs(let share):
                figures["stalled_differ", default: 0] += 1
                figures["words_differ_max_percent"] = max(figures["words_differ_max_percent"] ?? 0, share * 100)
            case .wrong(let problem): violations.append("\(name): \(problem)")
            }
        }
    }

    func check(_ evidence: Evidence) async throws -> CheckResult {
        var tally = Tally()
        let spoken = evidence.events(.transcriptSegments).mapValues { Self.segments($0, &tally.violations) }
        var known = Known(
            spoken: spoken, frames: evidence.events(.sessionEnded).compactMapValues { $0.first?.frames },
            references: [:])
        for outcome in evidence.calm {
            guard let session = outcome.session, let segments = spoken[session], !segments.isEmpty else { continue }
            known.references[outcome.device] = Utterances(segments.map { .init($0.text, $0.start, $0.end) })
        }
        for outcome in evidence.outcomes {
            guard let session = outcome.session else { continue }
            compare(
                [session], of: outcome.device, session, isWhole: outcome.isWhole,
                isStalled: evidence.mayHaveBeenCut(device: outcome.device, from: outcome.began, to: outcome.ended),
                known, evidence, &tally)
        }
        let chains = evidence.chains
        for upload in evidence.uploads {
            let sessions = chains.sessions(with: upload.sessions)
            tally.figures["uploads_of_several_sessions", default: 0] += sessions.count > 1 ? 1 : 0
            compare(
                sessions, of: upload.device, upload.name, isWhole: upload.isWhole,
                isStalled: evidence.mayHaveBeenCut(device: upload.device, from: upload.began, to: upload.ended),
                known, evidence, &tally)
        }
        let (compared, leftOut) = (tally.figures["compared"] ?? 0, tally.figures["left_out"] ?? 0)
        if compared == 0 || leftOut > Self.leftOutMaximum * (compared + leftOut) {
            tally.violations.append("\(leftOut) of \(compared + leftOut) transcripts could not be compared")
        }
        tally.figures["segments"] = Double(spoken.values.reduce(0) { $0 + $1.count })
        return CheckResult(name, figures: tally.figures, violations: tally.violations)
    }

    /// Compares what sessions say, one behind the other, with what their device's recording says, as far as they go.
    private func compare(
        _ sessions: [String], of device: Int, _ name: String, isWhole: Bool, isStalled: Bool, _ known: Known,
        _ evidence: Evidence, _ tally: inout Tally
    ) {
        let frames = sessions.compactMap { known.frames[$0] }
        guard !sessions.isEmpty, frames.count == sessions.count else {
            // One whose end nobody told; `endings` says so, too.
            tally.figures["left_out", default: 0] += 1
            return
        }
        guard let reference = known.references[device] else {
            tally.violations.append("\(name): there is no undisturbed transcript of device \(device)")
            return
        }
        var circumstances = Utterances.Circumstances(isStalled: isStalled, sessions: sessions.count)
        if !isWhole {
            tally.figures["cut", default: 0] += 1
            let stream = evidence.recordings[device].stream
            circumstances.covered =
                stream.duration.seconds * Double(frames.reduce(0, +)) / Double(max(1, stream.messageCount))
        }
        tally.note(reference.compare(known.heard(sessions), circumstances), of: name, isStalled: isStalled)
    }

    /// The segments of a session in order; says what is doubled or missing.
    private static func segments(_ events: [SessionEvent], _ violations: inout [String]) -> [TranscriptSegment] {
        var known: [UInt64: TranscriptSegment] = [:]
        var ids: Set<String> = []
        for event in events {
            for (offset, segment) in (event.segments ?? []).enumerated() {
                let ordinal = (event.firstSegment ?? 0) + UInt64(offset)
                if !ids.insert(segment.id).inserted {
                    violations.append("\(event.session): segment \(segment.id) twice")
                }
                if known.updateValue(segment, forKey: ordinal) != nil {
                    violations.append("\(event.session): two segments with the number \(ordinal)")
                }
            }
        }
        let numbers = known.keys.sorted()
        if numbers != Array(0..<UInt64(numbers.count)), let session = events.first?.session {
            violations.append("\(session): the segments' numbers have holes: \(numbers)")
        }
        return numbers.compactMap { known[$0] }
    }
}
