package import EarshotModel

/// Which session continues which, and with which message number of its device's stream each begins.
package struct SessionChains: Sendable {
    private var predecessors: [String: String] = [:]
    private var successors: [String: String] = [:]
    /// Sessions that more than one other says to continue; there may be none.
    package private(set) var forks: [String] = []
    private var frames: [String: UInt64] = [:]
    private var lost: [String: UInt64] = [:]

    /// Reads the chains out of the events of starts and ends.
    package init(_ events: some Sequence<SessionEvent>) {
        for event in events {
            switch event.type {
            case .sessionStarted:
                guard let predecessor = event.predecessor, predecessors[event.session] == nil else { continue }
                predecessors[event.session] = predecessor
                if successors.updateValue(event.session, forKey: predecessor) != nil { forks.append(predecessor) }
            case .sessionEnded:
                frames[event.session] = event.frames ?? 0
                lost[event.session] = event.lostFrames ?? 0
            default: break
            }
        }
    }

    /// All sessions of the chains of some sessions, also those that the device never heard of, in the device's order.
    package func sessions(with known: [String]) -> [String] {
        var found: [String] = []
        var seen: Set<String> = []
        for session in known where !seen.contains(session) {
            var next: String? = root(of: session)
            while let session = next, seen.insert(session).inserted {
                found.append(session)
                next = successors[session]
            }
        }
        return found
    }

    /// The number of the first message a session has: what those before it had, and what was lost on the way.
    package func first(of session: String) -> UInt64 {
        var first = lost[session] ?? 0
        var seen: Set<String> = [session]
        var current = session
        while let predecessor = predecessors[current], seen.insert(predecessor).inserted {
            first += (frames[predecessor] ?? 0) + (lost[predecessor] ?? 0)
            current = predecessor
        }
        return first
    }

    private func root(of session: String) -> String {
        var seen: Set<String> = [session]
        var current = session
        while let predecessor = predecessors[current], seen.insert(predecessor).inserted { current = predecessor }
        return current
    }
}
