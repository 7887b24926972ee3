// What a successor would make of the store, for the checks.
extension ModelStore {
    /// How far a group's output of a device reaches if everybody died now and somebody read on, and what is reported
    /// as lost on the way.
    struct Reach: Hashable, Sendable {
        var next = 0
        var lost: Set<Int> = []

        /// Frames below a count that are neither output nor would be.
        func missing(below count: Int) -> Set<Int> {
            lost.filter { $0 < count }.union(next..<max(next, count))
        }
    }

    /// The sessions of a device, from the first to the latest.
    func chain(of device: Int) -> [StoredSession] {
        var chain: [StoredSession] = []
        var id = latest[device]
        while let known = id.flatMap({ sessions[$0] }) {
            chain.append(known)
            id = known.predecessor
        }
        return chain.reversed()
    }

    func reach(of device: Int, _ group: Group) -> Reach {
        var reach = Reach()
        for session in chain(of: device) {
            let progress = session.progress[group.rawValue]
            let inherited = max(reach.next, progress.next)
            if session.first > inherited { reach.lost.formUnion(inherited..<session.first) }
            reach.next = max(inherited, session.first)
            guard !progress.isDone else { continue }
            for entry in entries where entry.session == session.id && !entry.isMarker {
                guard entry.position > positions[group.rawValue].position, entry.position < session.end ?? .max,
                    entry.first <= reach.next
                else { continue }
                reach.next = max(reach.next, entry.next)
            }
        }
        for case .output(let output) in events where output.isLost && output.group == group {
            guard sessions[output.session]?.device == device else { continue }
            reach.lost.formUnion(output.from..<output.to)
        }
        return reach
    }
}
