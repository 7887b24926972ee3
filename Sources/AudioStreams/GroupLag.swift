package import EarshotModel

/// How far a group is behind in one partition.
package struct GroupLag: Equatable, Sendable {
    package var partition: Partition
    /// Entries behind the group's position; `nil` when Redis cannot tell, which is an alarm and not a zero.
    package var entries: Int64?
    /// Entries in the stream.
    package var length: Int64
    /// Of audio the capture time between the first entry the group has not had and the last; else how long the first
    /// has waited.
    package var span: Duration
    /// How long the audio is that the group has not had, `nil` of other streams.
    ///
    /// Of many entries by the mean of the first and last of them.
    package var audio: Duration?
    /// What the group parked and still has to do, and its payload bytes (protocol.md C6).
    package var parkedEntries: Int64 = 0
    package var parkedBytes: Int64 = 0

    /// Makes a value.
    package init(partition: Partition, entries: Int64?, length: Int64, span: Duration = .zero, audio: Duration? = nil) {
        self.partition = partition
        self.entries = entries
        self.length = length
        self.span = span
        self.audio = audio
    }

    /// Entries the group has still to do, or more: an unknown lag is at most the whole stream.
    package var entriesAtMost: Int64 { min(entries ?? length, length) }

    /// Entries that were trimmed before the group had them: its lag says more than there is left.
    package var trimmedUnread: Int64 { max(0, (entries ?? 0) - length) }
}
