/// What an acknowledgement of `/v1/stream` promises, weakest first (docs/protocol.md).
package enum AckDurability: String, Sendable, CaseIterable, Comparable {
    /// The gateway has it in memory.
    case received
    /// It stands in Redis, and the session was still the gateway's behind it.
    case redis
    /// The same, and Redis had it on disk before it answered.
    case fsynced
    /// It is in a stored part that a committed event names.
    case stored

    /// Whether this promises less.
    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    /// The names a refusal lists.
    package static var allowedNames: String { allCases.map(\.rawValue).joined(separator: " ") }

    private var rank: Int {
        switch self {
        case .received: 0
        case .redis: 1
        case .fsynced: 2
        case .stored: 3
        }
    }
}
