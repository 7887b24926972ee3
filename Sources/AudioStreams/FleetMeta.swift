import EarshotModel

/// What every process of a fleet must agree on, written once to `{fleet}:meta` (protocol.md M9).
package struct FleetMeta: Equatable, Sendable {
    package var partitions: Int
    package var hash: String
    /// Version of keys and entries.
    package var version: Int

    /// What this build writes, with a number of partitions.
    package init(partitions: Int, hash: String = Partition.hashName, version: Int = 1) {
        self.partitions = partitions
        self.hash = hash
        self.version = version
    }

    /// Says what differs from the fleet's, or `nil`.
    package func disagreement(with fleet: FleetMeta) -> String? {
        if partitions != fleet.partitions {
            return "the fleet has \(fleet.partitions) partitions, this process is configured with \(partitions)"
        }
        if hash != fleet.hash { return "the fleet partitions by \(fleet.hash), this process by \(hash)" }
        if version != fleet.version {
            return "the fleet's keys have version \(fleet.version), this process writes version \(version)"
        }
        return nil
    }
}
