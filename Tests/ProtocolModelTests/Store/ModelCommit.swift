/// A fenced, numbered commit.
struct ModelCommit: Hashable, Sendable {
    struct Lane: Hashable, Sendable {
        let session: Int
        let outputs: [StoreEvent.Output]
        let progress: StoredSession.Progress
    }

    struct Position: Hashable, Sendable {
        var position: Int
        var read: Int
    }

    enum Outcome: String, Hashable, Sendable {
        case applied
        case repeated
        case fenced
        case outOfOrder
        case full
    }

    let group: Group
    let token: Token
    let number: Int
    let position: Position
    let lanes: [Lane]
}
