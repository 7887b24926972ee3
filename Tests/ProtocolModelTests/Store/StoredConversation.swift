/// A conversation in the registry.
struct StoredConversation: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case open
        case closing
        case completed
    }

    let device: Int
    var phase = Phase.open
    var sessions: [Int] = []
    var times = 0
    /// How many events the record must have passed.
    var mark: Int?
}
