package import EarshotModel

/// What Redis says of one session at one moment, for the ledger.
package struct LedgerSighting: Equatable, Sendable {
    package var session: SessionID
    package var partition: Partition
    /// The registry's entry; `nil` when there is none.
    package var registry: LedgerEntry?
    /// The last event that stood in the partition's stream when the registry had been read.
    package var lastEvent: StreamPosition?
    /// How far the record was then; `nil` for a group that nobody made.
    package var recorded: StreamPosition?

    /// Whether everything the groups had said by then is in the record.
    package var isRecorded: Bool {
        guard let lastEvent else { return true }
        return recorded.map { $0 >= lastEvent } ?? false
    }
}
