/// One of the P slices of all users; all keys of a partition share one Redis hash tag.
package struct Partition: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let index: Int

    /// Wraps an index in `0..<P`.
    package init(_ index: Int) { self.index = index }

    /// The partition of a user: FNV-1a-64 of the id's UTF-8 bytes, modulo the number of partitions.
    ///
    /// The hash is part of the stored format (`{fleet}:meta` records its name), so Swift's seeded `Hasher` is no
    /// choice.
    package init(of user: UserID, count: Int) {
        precondition(count > 0, "the number of partitions is at least 1")
        self.index = Int(Self.fnv1a64(user.text.utf8) % UInt64(count))
    }

    /// The name under which `{fleet}:meta` records the hash.
    package static let hashName = "fnv1a-64"

    /// The most partitions a fleet may have: three digits in the hash tag, and leases cost by partition.
    package static let maximumCount = 1000

    /// `p` and three digits, the hash tag of the partition's keys.
    package var description: String {
        let digits = String(index)
        return "p" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }

    /// Orders partitions by index.
    package static func < (lhs: Partition, rhs: Partition) -> Bool { lhs.index < rhs.index }

    /// The 64-bit FNV-1a hash of some bytes (offset basis 0xcbf29ce484222325, prime 0x100000001b3).
    package static func fnv1a64(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
