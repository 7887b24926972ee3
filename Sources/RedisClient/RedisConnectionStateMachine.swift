import NIOCore

/// Decides what happens on one connection; performs nothing.
///
/// Redis answers in the order of the commands, so pending pipelines are a queue and each reply belongs to its head.
/// `Promise` is opaque here: an event-loop promise in production, a string in tests.
struct RedisConnectionStateMachine<Promise>: ~Copyable {
    /// A pipeline that was written and lacks replies.
    struct Pending {
        let promise: Promise
        let expected: Int
        let deadline: NIODeadline?
        var replies: [RESPValue] = []
    }

    enum SendAction {
        case write
        case fail(RedisError)
    }

    enum ReceiveAction {
        /// The reply was kept; more are needed.
        case wait
        case succeed(Promise, [RESPValue])
        case message(channel: String, payload: ByteBuffer)
        /// Nothing on this connection can be trusted any more: close it for this reason.
        case close(RedisError)
    }

    enum PingAction {
        case ping
        case close(RedisError)
        case stop
    }

    private enum Mode {
        /// Commands and replies in turn. May become `subscribed` while nothing is pending, or `closed`.
        case commands
        /// The server sends messages of its own accord; no further command is taken. May become `closed`.
        case subscribed
        /// Every promise was handed out to be failed; nothing is taken any more, for the given reason. Final.
        case closed(RedisError)
    }

    private var mode = Mode.commands
    private var pending = CircularBuffer<Pending>()
    private let maximumPending: Int
    /// When the one timer will fire, if it is armed.
    private var armed: NIODeadline?
    private var awaitsSignOfLife = false

    init(maximumPending: Int) {
        self.maximumPending = maximumPending
    }

    var isClosed: Bool { if case .closed = mode { true } else { false } }

    /// A pipeline is to be written.
    mutating func send(_ promise: Promise, expected: Int, deadline: NIODeadline?) -> SendAction {
        switch mode {
        case .closed(let reason):
            let message = "the connection is closed: \(reason.message)"
            return .fail(RedisError(.notConnected, message, underlying: reason.underlying))
        case .subscribed: return .fail(RedisError(.notConnected, "the connection only receives messages"))
        case .commands: break
        }
        guard pending.count < maximumPending else {
            return .fail(RedisError(.overloaded, "\(maximumPending) pipelines already wait for their replies"))
        }
        pending.append(Pending(promise: promise, expected: expected, deadline: deadline))
        return .write
    }

    /// `SUBSCRIBE` for a number of channels is to be written; from here on only messages arrive.
    mutating func subscribe(_ promise: Promise, channels: Int, deadline: NIODeadline?) -> SendAction {
        guard pending.isEmpty else {
            return .fail(RedisError(.overloaded, "a connection can subscribe only while nothing is pending on it"))
        }
        let action = send(promise, expected: channels, deadline: deadline)
        if case .write = action { mode = .subscribed }
        return action
    }

    /// A reply was read.
    mutating func received(_ value: RESPValue) -> ReceiveAction {
        switch mode {
        case .closed: .wait
        case .commands: receivedReply(value)
        case .subscribed: receivedPush(value)
        }
    }

    private mutating func receivedReply(_ value: RESPValue) -> ReceiveAction {
        guard !pending.isEmpty else {
            // The one reply a server sends unasked is its reason for turning us away.
            if let error = value.asError { return .close(error) }
            return .close(RedisError(.protocolViolation, "the server sent \(value.kind) that nothing asked for"))
        }
        return append(value)
    }

    private mutating func receivedPush(_ value: RESPValue) -> ReceiveAction {
        awaitsSignOfLife = false
        if let error = value.asError { return .close(error) }
        guard let parts = value.array, let kind = parts.first?.string else {
            return .close(RedisError(.protocolViolation, "a subscription received \(value.kind) in place of a message"))
        }
        switch kind {
        case "message":
            guard parts.count == 3, let channel = parts[1].string, let payload = parts[2].bytes else {
                return .close(RedisError(.protocolViolation, "a message came without a channel or a payload"))
            }
            return .message(channel: channel, payload: payload)
        case "subscribe" where !pending.isEmpty: return append(value)
        case "pong": return .wait
        default:
            return .close(RedisError(.protocolViolation, "a subscription received an unexpected '\(kind)'"))
        }
    }

    private mutating func append(_ value: RESPValue) -> ReceiveAction {
        let head = pending.startIndex
        pending[head].replies.append(value)
        guard pending[head].replies.count == pending[head].expected else { return .wait }
        let done = pending.removeFirst()
        return .succeed(done.promise, done.replies)
    }

    /// When the timer has to fire, if it must be armed now or earlier than it is; the caller arms it.
    ///
    /// Only the head of the queue is watched. A timer that fires too early costs a look; it is not cancelled when
    /// replies arrive in time.
    mutating func timerToArm() -> NIODeadline? {
        guard let deadline = pending.first?.deadline else { return nil }
        if let armed, armed <= deadline { return nil }
        armed = deadline
        return deadline
    }

    /// The timer fired; returns the reason to close the connection if the head's deadline has passed.
    mutating func timerFired(now: NIODeadline) -> RedisError? {
        armed = nil
        guard let deadline = pending.first?.deadline, deadline <= now else { return nil }
        return RedisError(.outcomeUnknown, "the server did not answer in time; the connection was closed")
    }

    /// It is time to ask the server of a subscription for a sign of life.
    mutating func pingDue() -> PingAction {
        guard case .subscribed = mode else { return .stop }
        guard !awaitsSignOfLife else {
            return .close(RedisError(.outcomeUnknown, "the server gave no sign of life; the subscription was closed"))
        }
        awaitsSignOfLife = true
        return .ping
    }

    /// The connection is over: returns every promise to fail and the error to fail it with.
    mutating func close(_ reason: RedisError) -> (promises: [Promise], error: RedisError) {
        var error = reason
        // A server that turns a client away says why and hangs up, which would otherwise be lost.
        if let refusal = pending.first?.replies.last?.asError {
            error.message += "; its last reply was: \(refusal.message)"
        }
        // Whatever closes it again, the first reason is the true one.
        if !isClosed { mode = .closed(error) }
        let promises = pending.map(\.promise)
        pending.removeAll()
        return (promises, error)
    }
}
