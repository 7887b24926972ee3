import EarshotModel

/// Decides which live results a device gets: finals once each and in order, interims never after their final
/// (protocol.md M4); pure.
struct ResultSequence {
    /// What to do with a result.
    enum Verdict: Equatable {
        case deliver
        case drop
        /// Finals are missing before it; they are fetched.
        case fetch
    }

    /// Ordinal of the next final.
    private(set) var next: UInt64 = 0

    mutating func judge(_ result: LiveResult) -> Verdict {
        switch result.kind {
        case .message: return .deliver
        case .taken: return .drop
        case .interim, .withdrawn: return result.ordinal < next ? .drop : .deliver
        case .final:
            if result.ordinal < next { return .drop }
            if result.ordinal > next { return .fetch }
            next += UInt64(result.count)
            return .deliver
        }
    }

    /// After a fetch what was not kept any more is given up, so that the rest can go on.
    mutating func skip(to ordinal: UInt64) { next = max(next, ordinal) }
}
