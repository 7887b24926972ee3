import EarshotModel

/// The sessions of a chain whose audio is not known to be stored yet, oldest first; pure.
///
/// Each is stored by a lane of its own, so the audio before a number is stored only when every older session's is.
struct StoredChain {
    private struct Link {
        let session: SessionID
        /// The number with which its successor begins.
        let end: UInt64
    }

    /// The older ones, newest first.
    private var older: [Link] = []
    /// The present one.
    private var session: SessionID

    init(_ session: SessionID) { self.session = session }

    /// The oldest that is not through: how far it is, is what counts.
    var current: SessionID { older.last?.session ?? session }
    var count: Int { older.count + 1 }

    /// The oldest one known has a predecessor.
    mutating func precede(_ predecessor: SessionID, end: UInt64) {
        older.append(Link(session: predecessor, end: end))
    }

    /// The connection goes on with another session.
    mutating func succeed(_ successor: SessionID, from: UInt64) {
        older.insert(Link(session: session, end: from), at: 0)
        session = successor
    }

    /// Takes in how far the current one is.
    ///
    /// - Returns: the number below which everything is stored, as far as this tells.
    mutating func progressed(to next: UInt64?, isDone: Bool) -> UInt64? {
        guard let link = older.last else { return next }
        guard isDone || (next ?? 0) >= link.end else { return next }
        older.removeLast()
        return link.end
    }
}
