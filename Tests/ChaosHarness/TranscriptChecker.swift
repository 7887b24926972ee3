import EarshotModel

/// (a) Each session's segments are there once, in order, and say what the same audio says undisturbed.
struct TranscriptChecker: Checker {
    let name = "transcript"
    /// A stall makes workers cut an utterance where the speaker did not pause; this share of words may differ then.
    private static let stalledErrorMaximum = 0.35
    /// A reconnect cuts an utterance as a stall does; with more sessions than these the words say little.
    private static let chainMaximum = 3

    func check(_ evidence: Evidence) async throws -> CheckResult {
        var violations: [String] = []
        let spoken = evidence.events(.transcriptSegments).mapValues { Self.segments($0, &violations) }
        var reference: [Int: [String]] = [:]
        for outcome in evidence.calm {
            if let session = outcome.session { reference[outcome.device] = spoken[session] ?? [] }
        }
        var figures = ["sessions": 0.0, "identical": 0, "stalled_identical": 0, "stalled_differ": 0, "cut_sessions": 0]
        for outcome in evidence.outcomes {
            guard let session = outcome.session else { continue }
            figures["sessions", default: 0] += 1
            let heard = spoken[session] ?? []
            guard let expected = reference[outcome.device], !expected.isEmpty else {
                violations.append("\(session): there is no undisturbed transcript of device \(outcome.device)")
                continue
            }
            let isStalled = evidence.mayHaveBeenCut(
                device: outcome.device, from: outcome.began, to: outcome.ended)
            compare(outcome, session, heard, expected, isStalled, &figures, &violations)
        }
        checkUploads(evidence, spoken, reference, &figures, &violations)
        figures["segments"] = Double(spoken.values.reduce(0) { $0 + $1.count })
        return CheckResult(name, figures: figures, violations: violations)
    }

    /// What the sessions of an upload say, one behind the other, is what the recording says.
    private func checkUploads(
        _ evidence: Evidence, _ spoken: [String: [String]], _ reference: [Int: [String]],
        _ figures: inout [String: Double], _ violations: inout [String]
    ) {
        let chains = evidence.chains
        for upload in evidence.uploads where upload.isWhole {
            let sessions = chains.sessions(with: upload.sessions)
            let heard = sessions.flatMap { spoken[$0] ?? [] }
            guard let expected = reference[upload.device], !expected.isEmpty else {
                violations.append("\(upload.name): there is no undisturbed transcript")
                continue
            }
            if heard == expected {
                figures["uploads_identical", default: 0] += 1
                continue
            }
            figures["uploads_differ", default: 0] += 1
            let isStalled = evidence.mayHaveBeenCut(device: upload.device, from: upload.began, to: upload.ended)
            let share = Self.wordErrors(expected, heard)
            let isAllowed = sessions.count > Self.chainMaximum || share <= Self.stalledErrorMaximum
            if sessions.count == 1, !isStalled {
                violations.append("\(upload.name): \(heard) is not \(expected)")
            } else if !isAllowed {
                violations.append(
                    "\(upload.name): \(Int(share * 100)) % of the words differ in \(sessions.count) sessions")
            }
        }
    }

    /// The texts of a session in order; says what is doubled or missing.
    private static func segments(_ events: [SessionEvent], _ violations: inout [String]) -> [String] {
        var texts: [UInt64: String] = [:]
        var ids: Set<String> = []
        for event in events {
            for (offset, segment) in (event.segments ?? []).enumerated() {
                let ordinal = (event.firstSegment ?? 0) + UInt64(offset)
                if !ids.insert(segment.id).inserted {
                    violations.append("\(event.session): segment \(segment.id) twice")
                }
                if texts.updateValue(segment.text, forKey: ordinal) != nil {
                    violations.append("\(event.session): two segments with the number \(ordinal)")
                }
            }
        }
        let numbers = texts.keys.sorted()
        if numbers != Array(0..<UInt64(numbers.count)), let session = events.first?.session {
            violations.append("\(session): the segments' numbers have holes: \(numbers)")
        }
        return numbers.compactMap { texts[$0] }
    }

    private func compare(
        _ outcome: SessionOutcome, _ session: String, _ heard: [String], _ expected: [String], _ isStalled: Bool,
        _ figures: inout [String: Double], _ violations: inout [String]
    ) {
        guard outcome.isWhole else {
            figures["cut_sessions", default: 0] += 1
            // What was said before the cut; the last of it may have been cut in the middle.
            let certain = heard.dropLast()
            if !isStalled, !expected.starts(with: certain) {
                violations.append("\(session): cut, and not a beginning of the undisturbed transcript: \(heard)")
            }
            return
        }
        if heard == expected {
            figures[isStalled ? "stalled_identical" : "identical", default: 0] += 1
        } else if isStalled {
            figures["stalled_differ", default: 0] += 1
            let share = Self.wordErrors(expected, heard)
            if share > Self.stalledErrorMaximum {
                violations.append("\(session): \(Int(share * 100)) % of the words differ after a stall")
            }
        } else {
            violations.append("\(session) of device \(outcome.device): \(heard) is not \(expected)")
        }
    }

    /// The edit distance in words, as a share of the expected ones.
    static func wordErrors(_ expected: [String], _ heard: [String]) -> Double {
        let left = words(expected)
        let right = words(heard)
        var row = Array(0...right.count)
        for (index, word) in left.enumerated() {
            var previous = row[0]
            row[0] = index + 1
            for column in right.indices {
                let current = row[column + 1]
                row[column + 1] = min(current + 1, row[column] + 1, previous + (word == right[column] ? 0 : 1))
                previous = current
            }
        }
        return Double(row[right.count]) / Double(max(1, left.count))
    }

    private static func words(_ texts: [String]) -> [String] {
        texts.joined(separator: " ").lowercased().split { !$0.isLetter && $0 != "'" }.map(String.init)
    }
}
