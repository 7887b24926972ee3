/// Why `Supervision.supervise` ended.
package enum SupervisionExit: Sendable, CustomStringConvertible {
    /// All finite children finished, and there was no other.
    case finished
    /// The child that stands for the lifetime ended.
    case lifetimeEnded(child: String)
    /// A child failed.
    case failed(child: String, any Error)
    /// The caller was cancelled.
    case cancelled

    /// The reason's name in metrics.
    package var reason: String {
        switch self {
        case .finished: "finished"
        case .lifetimeEnded: "lifetime_ended"
        case .failed: "failed"
        case .cancelled: "cancelled"
        }
    }

    /// For logs.
    package var description: String {
        switch self {
        case .finished, .cancelled: reason
        case .lifetimeEnded(let child): "\(reason) by \(child)"
        case .failed(let child, let error): "\(child) failed: \(error)"
        }
    }
}
