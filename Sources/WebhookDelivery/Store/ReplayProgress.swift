package import EarshotModel

/// How far a replay is.
package struct ReplayProgress: Equatable, Sendable {
    package var id: UniqueID
    package var endpoint: String?
    /// Unix µs: dead deliveries created from `since` to `until` are replayed.
    package var since: Int64
    package var until: Int64
    /// Deliveries taken up so far, and what became of them since.
    package var taken: Int
    package var delivered: Int
    package var pending: Int
    package var dead: Int
    /// Unix µs at which the last one was taken up; `nil` while there may be more.
    package var takenAllAt: Int64?

    /// Whether everything was taken up and has an end.
    package var isDone: Bool { takenAllAt != nil && pending == 0 }
}
