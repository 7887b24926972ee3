/// The messages of the sessions that ended lately, by state, as far as the record alone knows (docs/ledger.md).
package struct LedgerTotals: Equatable, Sendable {
    package var sessions: UInt64
    /// In a part that the record names.
    package var stored: UInt64
    /// Heard, of sessions without a part: nobody wants them stored, or the first part is still open.
    package var notStored: UInt64
    /// Behind the last part of a session that has some.
    package var inFlight: UInt64
    /// Given up by devices before they continued their sessions (protocol.md H9, H10).
    package var notResent: UInt64
    /// Said to be stored, and in no part that the record names.
    package var unaccounted: UInt64

    /// Makes a value.
    package init(
        sessions: UInt64 = 0, stored: UInt64 = 0, notStored: UInt64 = 0, inFlight: UInt64 = 0, notResent: UInt64 = 0,
        unaccounted: UInt64 = 0
    ) {
        self.sessions = sessions
        self.stored = stored
        self.notStored = notStored
        self.inFlight = inFlight
        self.notResent = notResent
        self.unaccounted = unaccounted
    }
}
