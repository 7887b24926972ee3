/// A session's entry in the registry, as far as the ledger needs it.
package struct LedgerEntry: Equatable, Sendable {
    package var user: String
    /// The number the session begins with, and the oldest one the device had then.
    package var from: UInt64
    package var first: UInt64
    /// The highest number acknowledged; a `/v4/listen` session has none.
    package var last: UInt64?
    package var endReason: String?
    package var predecessor: SessionID?
    package var successor: SessionID?
    /// Whether the private-cloud group is to store it.
    package var isStorageWanted: Bool
    package var transcript: LedgerProgress
    package var storage: LedgerProgress
    /// Whether the end marker was trimmed away, so that nothing of the session is in the stream any more.
    package var isGoneFromStream: Bool

    /// The number behind the last message Redis knows of.
    package var end: UInt64 { max(from, last.map { $0 + 1 } ?? 0, transcript.next, storage.next) }

    /// Makes a value.
    package init(
        user: String, from: UInt64 = 0, first: UInt64 = 0, last: UInt64? = nil, endReason: String? = nil,
        predecessor: SessionID? = nil, successor: SessionID? = nil, isStorageWanted: Bool = true,
        transcript: LedgerProgress = LedgerProgress(), storage: LedgerProgress = LedgerProgress(),
        isGoneFromStream: Bool = false
    ) {
        self.user = user
        self.from = from
        self.first = first
        self.last = last
        self.endReason = endReason
        self.predecessor = predecessor
        self.successor = successor
        self.isStorageWanted = isStorageWanted
        self.transcript = transcript
        self.storage = storage
        self.isGoneFromStream = isGoneFromStream
    }
}
