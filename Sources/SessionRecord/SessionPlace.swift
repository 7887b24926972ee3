/// A session's place in a listing, where the next page goes on.
package struct SessionPlace: Equatable, Sendable {
    /// Unix µs; `nil` when it is not known.
    package let startedAt: Int64?
    package let id: String

    /// The place of a session.
    package init(_ session: RecordedSession) {
        startedAt = session.startedAt
        id = session.id
    }
}
