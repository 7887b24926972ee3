// What becomes of entries.
extension WorkerModel {
    /// Takes in what was read.
    mutating func take(_ entries: [ModelStore.Entry], _ rules: Rules) {
        for entry in entries where entry.position > cursor {
            cursor = entry.position
            held.append(
                Held(position: entry.position, session: entry.session, next: entry.isMarker ? .max : entry.next))
            if lanes[entry.session] != nil {
                route(entry, rules)
            } else if ignored.contains(entry.session) {
                pass(entry.position)
            } else {
                waiting.append(entry)
            }
        }
    }

    /// Opens a lane from what the registry says, or passes over what waited for it.
    mutating func open(
        _ id: Int, _ session: StoredSession?, predecessor: StoredSession.Progress?, _ rules: Rules
    ) {
        lookingFor.remove(id)
        guard lanes[id] == nil, waiting.contains(where: { $0.session == id }) else { return }
        let progress = session?.progress[lease.group.rawValue] ?? StoredSession.Progress()
        if rules.lanesComeFromRegistry, session == nil || progress.isDone {
            ignored.insert(id)
            waiting.filter { $0.session == id }.forEach { pass($0.position) }
            waiting.removeAll { $0.session == id }
            return
        }
        if rules.waitsForPredecessor, let predecessor, !predecessor.isDone { return }
        let inherited = rules.inheritsNext ? predecessor?.next ?? 0 : session?.first ?? 0
        let start = max(inherited, progress.next)
        let first = session?.first ?? 0
        var lane = Lane(
            expected: max(start, first), ordinal: progress.ordinal,
            end: rules.dropsBehindEnd ? session?.end : nil)
        if start < first {
            lane.outputs.append(
                StoreEvent.Output(session: id, group: lease.group, from: start, to: first, isLost: true))
        }
        lanes[id] = lane
        let entries = waiting.filter { $0.session == id }
        waiting.removeAll { $0.session == id }
        for entry in entries { route(entry, rules) }
    }

    private mutating func route(_ entry: ModelStore.Entry, _ rules: Rules) {
        guard var lane = lanes[entry.session] else { return }
        defer { lanes[entry.session] = lane }
        let isLate = lane.end.map { entry.position > $0 } ?? false
        if isLate || (lane.isDone && rules.dropsBehindEnd) { return pass(entry.position) }
        if entry.isMarker {
            lane.isDone = true
            return
        }
        if rules.dedupsBySequence {
            guard entry.next > lane.expected else { return }
        }
        if entry.first > lane.expected {
            guard !rules.takesOnlyContiguous else { return pass(entry.position) }
            append(lane.expected, entry.first, isLost: true, to: &lane, of: entry.session)
        }
        append(
            rules.dedupsBySequence ? max(entry.first, lane.expected) : entry.first, entry.next, isLost: false,
            to: &lane, of: entry.session)
        lane.expected = max(lane.expected, entry.next)
    }

    private func append(_ from: Int, _ to: Int, isLost: Bool, to lane: inout Lane, of session: Int) {
        var from = from
        if let last = lane.outputs.last, last.to == from, last.isLost == isLost {
            from = last.from
            lane.outputs.removeLast()
        }
        lane.outputs.append(
            StoreEvent.Output(session: session, group: lease.group, from: from, to: to, isLost: isLost))
    }

    mutating func pass(_ position: Int) {
        guard let index = held.firstIndex(where: { $0.position == position }) else { return }
        held[index].isPassed = true
        advance()
    }

    /// Moves what is reached over passed entries.
    private mutating func advance() {
        while let first = held.first, first.isPassed {
            reached = ModelCommit.Position(position: first.position, read: reached.read + 1)
            held.removeFirst()
        }
    }

    /// Takes what lanes have absorbed into a commit; of one session, or of all.
    mutating func draw(only session: Int?) -> ModelCommit? {
        guard let token = lease.token, inDoubt == nil else { return nil }
        var contributions: [ModelCommit.Lane] = []
        for id in lanes.keys.sorted() where session == nil || session == id {
            guard var lane = lanes[id], !lane.outputs.isEmpty || lane.isDone else { continue }
            lane.ordinal += 1
            var outputs = lane.outputs
            if lane.isDone {
                let from = outputs.last?.to ?? lane.expected
                outputs.append(
                    StoreEvent.Output(session: id, group: lease.group, from: from, to: lane.expected, isDone: true))
            }
            contributions.append(
                ModelCommit.Lane(
                    session: id, outputs: outputs,
                    progress: .init(next: lane.expected, ordinal: lane.ordinal, isDone: lane.isDone)))
            lane.outputs = []
            for index in held.indices
            where held[index].session == id && (lane.isDone || held[index].next <= lane.expected) {
                held[index].isPassed = true
            }
            lanes[id] = lane.isDone ? nil : lane
            if lane.isDone { ignored.insert(id) }
        }
        // Duplicates of what was committed before are passed with the next commit.
        for (id, lane) in lanes where lane.outputs.isEmpty {
            for index in held.indices where held[index].session == id && held[index].next <= lane.expected {
                held[index].isPassed = true
            }
        }
        advance()
        guard !contributions.isEmpty || reached.position > committed else { return nil }
        let commit = ModelCommit(
            group: lease.group, token: token, number: number + 1, position: reached, lanes: contributions)
        inDoubt = commit
        return commit
    }
}
