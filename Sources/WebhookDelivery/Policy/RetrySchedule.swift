/// When a failed delivery is tried again, and whether its lane waits for it.
package struct RetrySchedule: Sendable {
    private let limits: DeliveryLimits

    /// What becomes of a delivery after a failure.
    package enum Next: Equatable, Sendable {
        /// It is tried again after a pause; `holdsLane` says whether what is behind it waits so long.
        case retry(Duration, holdsLane: Bool)
        /// It was tried often enough.
        case dead
    }

    /// The schedule of some limits.
    package init(_ limits: DeliveryLimits) { self.limits = limits }

    /// Decides after a failure.
    ///
    /// - Parameters:
    ///   - failures: Failed attempts so far, this one counted.
    ///   - retryAfter: What the receiver asked for with 429 or 503; it can lengthen a pause, up to a bound.
    ///   - isStrict: Whether the endpoint wants its lanes to wait however long it takes.
    ///   - chance: A random number from 0 to 1.
    /// - Returns: When to try again, or that it is dead.
    package func next(failures: Int, retryAfter: Duration?, isStrict: Bool, chance: Double) -> Next {
        guard failures >= 1, failures <= limits.retryDelays.count else { return .dead }
        let factor = 1 + limits.retryJitter * (2 * chance - 1)
        let scheduled = limits.retryDelays[failures - 1] * factor
        let asked = min(retryAfter ?? .zero, limits.retryAfterMaximum)
        let pause = max(scheduled, asked)
        let holds = isStrict || (failures <= limits.laneHoldRetries && pause <= limits.laneHoldMaximum)
        return .retry(pause, holdsLane: holds)
    }
}
