/// How far one group is with a session, for the ledger.
package struct LedgerProgress: Equatable, Sendable {
    /// The lowest message it still needs.
    package var next: UInt64
    /// Whether it has passed the end marker.
    package var isDone: Bool
    /// Entries it has parked.
    package var parked: Int

    /// Makes a value.
    package init(next: UInt64 = 0, isDone: Bool = false, parked: Int = 0) {
        self.next = next
        self.isDone = isDone
        self.parked = parked
    }
}
