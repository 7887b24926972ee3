package import EarshotModel

/// One attempt, as it is written down, and what it makes of its delivery.
package struct AttemptRecord: Equatable, Sendable {
    /// What becomes of the delivery.
    package enum Result: Equatable, Sendable {
        case delivered
        case retry(Duration, holdsLane: Bool)
        /// No more attempts; `disables` says whether the receiver is gone for good (410).
        case dead(disables: Bool)
    }

    package var delivery: UniqueID
    package var claim: UniqueID
    package var endpoint: UniqueID
    package var conversation: String
    package var result: Result
    /// Failures in a row, this one counted.
    package var failures: Int
    package var log: AttemptLog
    /// How long everything else of the endpoint waits, because its receiver asked for it.
    package var pause: Duration?
    /// Whether a request was made; if not, it is no attempt, and says nothing about the endpoint.
    package var wasSent: Bool

    /// Makes a record.
    package init(
        of delivery: ClaimedDelivery, result: Result, failures: Int, log: AttemptLog, pause: Duration? = nil,
        wasSent: Bool = true
    ) {
        self.delivery = delivery.id
        self.claim = delivery.claim
        self.endpoint = delivery.endpoint.id
        self.conversation = delivery.conversation
        self.result = result
        self.failures = failures
        self.log = log
        self.pause = pause
        self.wasSent = wasSent
    }

    /// Whether the lane goes on behind it.
    var releasesLane: Bool {
        switch result {
        case .delivered, .dead: true
        case .retry(_, let holdsLane): !holdsLane
        }
    }
}
