package import EarshotModel

/// What became of an attempt to move a group that nobody runs past entries that it does not want (protocol.md C6).
package enum UnwantedSkip: Equatable, Sendable {
    /// So many entries were passed; the next one is wanted, or there is none, unless a whole read was passed.
    case passed(Int)
    /// Somebody runs the group; nothing happened.
    case held
    /// The coordinator's lease is another's; nothing happened.
    case fenced
}

extension WorkerFlags {
    /// The flag by which entries say that a group wants them; `nil` for groups of other streams.
    package init?(_ group: WorkerGroup) {
        switch group {
        case .transcript: self = .transcript
        case .audioBytes: self = .audioBytes
        case .privateCloud: self = .privateCloud
        default: return nil
        }
    }
}
