package import EarshotModel

/// How far a group is behind in one partition.
package struct GroupLag: Equatable, Sendable {
    package var partition: Partition
    /// Entries behind the group's position; `nil` when Redis cannot tell, which is an alarm and not a zero.
    package var entries: Int64?
    /// Entries in the stream.
    package var length: Int64

    /// Makes a value.
    package init(partition: Partition, entries: Int64?, length: Int64) {
        self.partition = partition
        self.entries = entries
        self.length = length
    }
}
