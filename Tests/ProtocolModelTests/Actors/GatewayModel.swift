/// A gateway: it appends what its devices send, checks the tail, acknowledges, and ends.
struct GatewayModel: Hashable, Sendable {
    struct Session: Hashable, Sendable {
        let device: Int
        var epoch: Token?
        /// Behind the last frame received, appended, and found in the stream.
        var received: Int
        var appended: Int
        var acknowledged: Int
        /// The end is sent; nothing more is appended.
        var isEnding = false
        /// An append was refused; nothing behind it counts (M10).
        var hasFailed = false
    }

    var start: ProcessStart
    var isDead = false
    var channel = Channel()
    /// Sent or to be sent, and not answered, in order.
    var unanswered: [Request] = []
    var sessions: [Int: Session] = [:]
    /// The server whose epochs it has.
    var identity = 0

    init(name: Int, number: Int) { start = ProcessStart(name: name, number: number) }

    mutating func send(_ request: Request) {
        unanswered.append(request)
        channel.requests.append(request)
    }

    /// Appends what a session received, with the tail check behind it.
    mutating func flush(_ id: Int) -> Bool {
        guard let session = sessions[id], let epoch = session.epoch, !session.isEnding, !session.hasFailed,
            session.received > session.appended
        else { return false }
        send(.append(session: id, first: session.appended, count: session.received - session.appended))
        send(.tail(session: id, epoch: epoch, through: session.received))
        sessions[id]?.appended = session.received
        return true
    }

    /// Appends what is left, and the end behind it.
    mutating func end(_ id: Int) -> Bool {
        guard let session = sessions[id], let epoch = session.epoch, !session.isEnding else { return false }
        _ = flush(id)
        sessions[id]?.isEnding = true
        send(.end(session: id, epoch: epoch, gateway: start))
        return true
    }
}
