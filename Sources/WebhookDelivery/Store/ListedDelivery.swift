package import EarshotModel

/// A delivery as `earshot delivery` shows it.
package struct ListedDelivery: Sendable {
    /// What becomes of a delivery.
    package enum State: String, Sendable, CaseIterable {
        /// Behind another one of its lane.
        case waiting
        /// Due now or later.
        case pending
        case delivered
        /// Tried often enough, or refused from the start.
        case dead
    }

    package var id: UniqueID
    package var endpoint: String
    package var event: String
    package var type: String
    package var uid: String
    package var conversation: String
    package var sequence: Int64
    package var state: State
    package var attempts: Int
    /// Unix µs; `nil` unless it is pending.
    package var dueAt: Int64?
    package var status: Int?
    package var error: String?
    package var createdAt: Int64
    package var finishedAt: Int64?
    /// Bytes of the body; `nil` while there is none.
    package var bodyBytes: Int?
}
