package import EarshotModel

/// How far a group is behind in one partition.
package struct GroupLag: Equatable, Sendable {
    package var partition: Partition
    /// Entries behind the group's position; `nil` when Redis cannot tell, which is an alarm and not a zero.
    package var entries: Int64?
    /// Entries in the stream.
    package var length: Int64
    /// What the group parked and still has to do, and its payload bytes (protocol.md C6).
    package var parkedEntries: Int64 = 0
    package var parkedBytes: Int64 = 0

    /// Makes a value.
    package init(partition: Partition, entries: Int64?, length: Int64) {
        self.partition = partition
        self.entries = entries
        self.length = length
    }
}
