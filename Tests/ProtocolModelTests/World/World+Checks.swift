// What must hold after every step.
extension World {
    /// What is wrong with this state.
    func violations() -> [String] {
        outputViolations() + devices.indices.flatMap(lossViolations(of:))
    }

    /// Nothing acknowledged without being output or still in the stream, or in the named loss of a failover.
    private func lossViolations(of index: Int) -> [String] {
        let device = devices[index]
        return store.enabled.flatMap { group -> [String] in
            var found: [String] = []
            let reach = store.reach(of: index, group)
            let missing = reach.missing(below: device.acknowledged).subtracting(device.excused)
            if !missing.isEmpty {
                found.append("device \(index): \(missing.sorted()) acknowledged, and no \(group) will ever see them")
            }
            let claimed = reach.lost.subtracting(device.excused)
            if !claimed.isEmpty {
                found.append("device \(index): \(group) says \(claimed.sorted()) are lost, and they need not be")
            }
            return found
        }
    }

    /// Ranges contiguous, once each, none behind a session's end, none after the group is through.
    private func outputViolations() -> [String] {
        var found: [String] = []
        var reached: [Int: Int] = [:]
        var done: Set<Int> = []
        for case .output(let output) in store.events {
            guard let session = store.sessions[output.session] else {
                found.append("output of the unknown session \(output.session)")
                continue
            }
            let groups = Group.allCases.count
            let key = session.device * groups + output.group.rawValue
            let passed = session.id * groups + output.group.rawValue
            if output.from != reached[key, default: 0] {
                found.append(
                    "\(output.group) of device \(session.device): \(output.from)..<\(output.to) follows "
                        + "\(reached[key, default: 0])")
            }
            reached[key] = output.to
            if done.contains(passed) { found.append("\(output.group) put out session \(session.id) after its end") }
            if output.isDone { done.insert(passed) }
            let isEmpty = output.from == output.to
            if !isEmpty, output.to > max(session.appended, session.first) {
                found.append("\(output.group) put out frames behind the end of \(session.id)")
            }
        }
        return found
    }

    /// What is wrong with the change of the store in one step; a failover is no such change.
    func violations(since old: ModelStore) -> [String] {
        guard old.identity == store.identity else { return [] }
        var found: [String] = []
        for (id, session) in old.sessions {
            guard let end = session.end, store.sessions[id]?.end != end else { continue }
            found.append("the end of session \(id) moved from \(end) to \(store.sessions[id]?.end as Any)")
        }
        let kept = Set(store.entries.map(\.position))
        for group in old.enabled {
            let needed = old.entries.filter { $0.position > old.positions[group.rawValue].position }
            if needed.contains(where: { !kept.contains($0.position) }) {
                found.append("trimmed an entry that \(group) needs")
            }
            if store.positions[group.rawValue].position < old.positions[group.rawValue].position {
                found.append("the position of \(group) went back")
            }
        }
        for case .completed(let conversation) in store.events.dropFirst(old.events.count) {
            found += completionViolations(conversation, old)
        }
        return found
    }

    private func completionViolations(_ id: Int, _ old: ModelStore) -> [String] {
        var found: [String] = []
        let sessions = Set(old.conversations[id]?.sessions ?? [])
        for (index, event) in old.events.enumerated().reversed() {
            if case .completed(id) = event { found.append("conversation \(id) is completed twice") }
            if case .started(_, id) = event { break }
            if case .output(let output) = event, sessions.contains(output.session), output.group == .transcript,
                index >= old.recorded
            {
                found.append("conversation \(id) is completed before the record has all of it")
            }
        }
        for session in sessions.sorted().compactMap({ old.sessions[$0] }) {
            if session.end == nil || !session.progress[Group.transcript.rawValue].isDone {
                found.append("conversation \(id) is completed before session \(session.id) is through")
            }
        }
        return found
    }

    /// What is not over though everybody had time: every session ended and completed, every frame output.
    func unfinished() -> [String] {
        var found: [String] = []
        for session in store.sessions.values.sorted(by: { $0.id < $1.id }) {
            if session.end == nil { found.append("session \(session.id) never ended") }
            if !session.isCompleted { found.append("session \(session.id) was never completed") }
        }
        for (id, conversation) in store.conversations where conversation.phase != .completed {
            found.append("conversation \(id) is \(conversation.phase)")
        }
        for group in store.enabled where store.positions[group.rawValue].position < store.entries.last?.position ?? 0 {
            found.append("\(group) stands behind the stream")
        }
        for (index, device) in devices.enumerated() {
            if !device.isOver { found.append("device \(index) never got rid of \(device.forgotten)..<\(device.total)") }
            for group in store.enabled where device.resumes {
                let missing = store.reach(of: index, group).missing(below: device.total).subtracting(device.excused)
                if !missing.isEmpty { found.append("\(group) lacks \(missing.sorted()) of device \(index)") }
            }
        }
        for (index, worker) in workers.enumerated() where !worker.lanes.isEmpty || !worker.waiting.isEmpty {
            found.append("worker \(index) still has lanes")
        }
        return found
    }
}
