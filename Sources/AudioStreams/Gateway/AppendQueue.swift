import DequeModule
import EarshotModel

/// One loop's operations in the order of their calls, and which of them are sent again when Redis refuses some.
///
/// A server may refuse an append and take a later one of the same session in the same pipeline. Sent again, the first
/// would stand behind the second, where its readers take it for a repetition: it is lost, and said to be.
struct AppendQueue<Operation> {
    /// What an operation means for the order of a session.
    enum Kind {
        case append(SessionID)
        /// Counts only behind the appends before it.
        case tail(SessionID)
        case end(SessionID)
        /// How far a session is with the server of this connection; another may lack it, so it is not sent again.
        case note
        case other
    }

    /// What an answer came to.
    struct Settlement {
        /// The operation is through.
        var completed: Operation?
        /// Appends that came too late.
        var overtaken: [Operation] = []
    }

    private typealias Entry = (kind: Kind, operation: Operation)

    /// Not answered, oldest first; the first `sent` of them are on the wire.
    private var entries: Deque<Entry> = []
    private var sent = 0
    /// Refused for now: they are sent again, on the next connection, before everything else.
    private var refused: [Entry] = []
    /// The sessions with an append among them.
    private var refusedSessions: Set<SessionID> = []

    /// Operations without a final answer.
    var count: Int { entries.count + refused.count }
    var isEmpty: Bool { count == 0 }
    /// Whether some were refused: nothing may be sent until everything on the wire is answered.
    var isRefusing: Bool { !refused.isEmpty }
    var isOnTheWire: Bool { sent > 0 }

    mutating func append(_ operation: Operation, _ kind: Kind) { entries.append((kind, operation)) }

    /// Gives what is to be sent now, in order, to the wire.
    ///
    /// - Returns: how many operations that were.
    mutating func send(_ write: (Operation) -> Void) -> Int {
        guard !isRefusing else { return 0 }
        let first = sent
        sent = entries.count
        for index in first..<sent { write(entries[index].operation) }
        return sent - first
    }

    /// The oldest operation on the wire has its answer.
    mutating func answered(isRefused: Bool) -> Settlement {
        guard sent > 0, let entry = entries.popFirst() else { return Settlement() }
        sent -= 1
        if isRefused || isTailBehindRefused(entry) {
            refused.append(entry)
            if case .append(let session) = entry.kind { refusedSessions.insert(session) }
            return Settlement()
        }
        return Settlement(completed: entry.operation, overtaken: overtaken(by: entry.kind))
    }

    /// The connection is gone: everything but notes is to be sent again.
    ///
    /// - Returns: notes, and appends that come too late, because a later one may have been taken.
    mutating func connectionLost() -> [Operation] {
        let unknown = entries.prefix(sent).map(\.kind)
        var late = unknown.flatMap { overtaken(by: $0) }
        entries.insert(contentsOf: refused, at: 0)
        late += entries.filter(\.kind.isNote).map(\.operation)
        entries.removeAll(where: \.kind.isNote)
        refused = []
        refusedSessions = []
        sent = 0
        return late
    }

    /// Gives up everything.
    mutating func removeAll() -> [Operation] {
        defer { self = AppendQueue() }
        return (refused + entries).map(\.operation)
    }

    private func isTailBehindRefused(_ entry: Entry) -> Bool {
        guard case .tail(let session) = entry.kind else { return false }
        return refusedSessions.contains(session)
    }

    private mutating func overtaken(by kind: Kind) -> [Operation] {
        switch kind {
        case .tail, .note, .other: return []
        case .append(let session), .end(let session):
            guard refusedSessions.remove(session) != nil else { return [] }
            let late = refused.filter { $0.kind.isAppend(of: session) }
            refused.removeAll { $0.kind.isAppend(of: session) }
            return late.map(\.operation)
        }
    }
}

extension AppendQueue.Kind {
    fileprivate var isNote: Bool {
        if case .note = self { true } else { false }
    }

    fileprivate func isAppend(of session: SessionID) -> Bool {
        if case .append(session) = self { true } else { false }
    }
}
