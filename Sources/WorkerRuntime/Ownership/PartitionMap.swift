package import EarshotModel

/// Which member gets which partition: rendezvous hashing with bounded load (protocol.md M8).
///
/// Every process computes the same map from the same members, a change of members moves only what it must, and nobody
/// gets more than ⌈P/W⌉.
package enum PartitionMap {
    /// The partitions of one member.
    ///
    /// - Parameters:
    ///   - member: whose share is asked for; a member that is not in `members` has none.
    ///   - members: all that count, in any order.
    ///   - count: the number of partitions.
    /// - Returns: the member's share.
    package static func share(of member: Incarnation, among members: Set<Incarnation>, count: Int) -> Set<Partition> {
        guard members.contains(member) else { return [] }
        let sorted = members.sorted()
        let capacity = (count + sorted.count - 1) / sorted.count
        var load = [Int](repeating: 0, count: sorted.count)
        var share: Set<Partition> = []
        for index in 0..<count {
            let weights = sorted.map { weight($0, index) }
            let ranked = sorted.indices.sorted { weights[$0] > weights[$1] }
            guard let chosen = ranked.first(where: { load[$0] < capacity }) else { continue }
            load[chosen] += 1
            if sorted[chosen] == member { share.insert(Partition(index)) }
        }
        return share
    }

    /// FNV-1a, then a finaliser that spreads it: neighbouring partitions must not follow each other.
    private static func weight(_ member: Incarnation, _ index: Int) -> UInt64 {
        var value = Partition.fnv1a64("\(member)/\(index)".utf8)
        value = (value ^ (value >> 33)) &* 0xff51_afd7_ed55_8ccd
        value = (value ^ (value >> 33)) &* 0xc4ce_b9fe_1a85_ec53
        return value ^ (value >> 33)
    }
}
