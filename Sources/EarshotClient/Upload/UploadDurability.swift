/// What an acknowledgement promises, weakest first.
package enum UploadDurability: String, Sendable, CaseIterable, Comparable {
    /// The gateway has it in memory.
    case received
    /// It is in Redis, which may lose its last second when it is killed.
    case redis
    /// It is on Redis' disk.
    case fsynced
    /// It is in a stored part.
    case stored

    /// Whether this promises less.
    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    /// Whether what is acknowledged so may still be asked for again.
    var mayBeLost: Bool { self < .fsynced }

    private var rank: Int {
        switch self {
        case .received: 0
        case .redis: 1
        case .fsynced: 2
        case .stored: 3
        }
    }
}
