/// A device: it keeps each message until it is acknowledged, and sends again from there after a broken connection.
struct DeviceModel: Hashable, Sendable {
    /// A connection to a gateway; both directions in order.
    struct Link: Hashable, Sendable {
        enum Up: Hashable, Sendable {
            case frame(Int)
            case bye
        }

        enum Down: Hashable, Sendable {
            case welcome(from: Int)
            case acknowledged(Int)
            case closed
        }

        let gateway: Int
        let session: Int
        var up: [Up] = []
        var down: [Down] = []
        /// The next frame to send, once the gateway said from where.
        var next: Int?
    }

    /// Frames it will have captured.
    let total: Int
    let resumes: Bool
    /// Frames below were acknowledged and are gone.
    var forgotten = 0
    var link: Link?
    /// It closed, or cannot resume and lost its connection.
    var isOver = false
    /// Of the checks only: what any gateway told it to forget.
    var acknowledged = 0
    /// Of the checks only: frames that a failover took back after they were acknowledged.
    var excused: Set<Int> = []

    /// Handles the next message of its gateway.
    mutating func hear() {
        guard var current = link, !current.down.isEmpty else { return }
        let message = current.down.removeFirst()
        link = current
        switch message {
        case .welcome(let from):
            forgotten = max(forgotten, from)
            link?.next = forgotten
        case .acknowledged(let count): forgotten = max(forgotten, count)
        case .closed:
            link = nil
            isOver = isOver || !resumes
        }
    }

    mutating func unlink() {
        link = nil
        isOver = isOver || !resumes
    }
}
