/// An event of the partition's event stream, as far as the checks need it.
enum StoreEvent: Hashable, Sendable {
    case started(session: Int, conversation: Int)
    case output(Output)
    case completed(conversation: Int)

    /// A range of a session's frames that a group is through with.
    struct Output: Hashable, Sendable {
        let session: Int
        let group: Group
        let from: Int
        let to: Int
        /// The frames are reported as lost, not stored.
        var isLost = false
        /// The marker is passed with it.
        var isDone = false
    }
}
