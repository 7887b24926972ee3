package import EarshotModel

/// What Redis says of one session at one moment, for the ledger.
package struct LedgerSighting: Equatable, Sendable {
    /// How far one group is.
    package struct Progress: Equatable, Sendable {
        /// The lowest message it still needs.
        package var next: UInt64 = 0
        /// Whether it has passed the end marker.
        package var isDone = false
        /// Entries it has parked.
        package var parkedEntries = 0
    }

    package var session: SessionID
    package var partition: Partition
    /// The registry's entry; `nil` when there is none.
    package var registry: Registry?
    /// The last event that stood in the partition's stream when the registry had been read.
    package var lastEvent: StreamPosition?
    /// How far the record was then; `nil` for a group that nobody made.
    package var recorded: StreamPosition?

    /// Whether everything the groups had said by then is in the record.
    package var isRecorded: Bool {
        guard let lastEvent else { return true }
        return recorded.map { $0 >= lastEvent } ?? false
    }

    /// A session's entry, as far as the ledger needs it.
    package struct Registry: Equatable, Sendable {
        package var user: String
        package var first: UInt64
        package var from: UInt64
        package var last: UInt64?
        package var endReason: String?
        package var predecessor: SessionID?
        package var successor: SessionID?
        /// Whether the private-cloud group is to store it.
        package var isStorageWanted: Bool
        package var transcript: Progress
        package var storage: Progress
        /// Whether the end marker lay before the first entry of the stream.
        package var isGoneFromStream: Bool

        /// The number behind the last message Redis knows of.
        package var end: UInt64 { max(from, last.map { $0 + 1 } ?? 0, transcript.next, storage.next) }
    }
}
