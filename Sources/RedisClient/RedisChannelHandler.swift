import Logging
import NIOCore

/// Performs on one channel what `RedisConnectionStateMachine` decides: parses, writes, arms the timer, closes.
///
/// Belongs to its event loop, like every handler.
final class RedisChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let eventLoop: any EventLoop
    private let reader: RESPReader
    private let configuration: RedisConfiguration
    private let logger: Logger
    private var state: RedisConnectionStateMachine<EventLoopPromise<[RESPValue]>>
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var pings: RepeatedTask?
    private var onMessage: ((_ channel: String, _ payload: ByteBuffer) -> Void)?

    /// Told on the loop whenever the channel begins or ceases to be writable.
    var onWritabilityChange: ((Bool) -> Void)?

    init(configuration: RedisConfiguration, eventLoop: any EventLoop, logger: Logger) throws(RedisError) {
        self.eventLoop = eventLoop
        self.configuration = configuration
        self.logger = logger
        reader = try RESPReader(maximumReplyBytes: configuration.maximumReplyBytes)
        state = RedisConnectionStateMachine(maximumPending: configuration.maximumPendingPipelines)
    }

    var isWritable: Bool { !state.isClosed && context?.channel.isWritable == true }

    var isClosed: Bool { state.isClosed }

    // MARK: What the connection asks for

    func send(_ pipeline: RedisPipeline, timeout: Duration?) -> EventLoopFuture<[RESPValue]> {
        eventLoop.preconditionInEventLoop()
        guard !pipeline.isEmpty else { return eventLoop.makeSucceededFuture([]) }
        let promise = eventLoop.makePromise(of: [RESPValue].self)
        let deadline = timeout.map(RedisTime.deadline(after:))
        perform(state.send(promise, expected: pipeline.count, deadline: deadline), promise, pipeline.buffer)
        return promise.futureResult
    }

    func subscribe(
        to channels: [String], onMessage: @escaping (_ channel: String, _ payload: ByteBuffer) -> Void
    ) -> EventLoopFuture<[RESPValue]> {
        eventLoop.preconditionInEventLoop()
        let promise = eventLoop.makePromise(of: [RESPValue].self)
        let deadline = RedisTime.deadline(after: configuration.commandTimeout)
        let action = state.subscribe(promise, channels: channels.count, deadline: deadline)
        if case .write = action {
            self.onMessage = onMessage
            startPings()
        }
        let command = RedisPipeline([RedisCommand("SUBSCRIBE", arguments: channels.map { RedisArgument($0) })])
        perform(action, promise, command.buffer)
        return promise.futureResult
    }

    func close(_ reason: RedisError) {
        eventLoop.preconditionInEventLoop()
        guard !state.isClosed else { return }
        timer?.cancel()
        pings?.cancel()
        let (promises, error) = state.close(reason)
        logger.debug(
            "Redis connection closed",
            metadata: [RedisLogKey.reason: "\(reason)", RedisLogKey.pending: "\(promises.count)"])
        context?.close(promise: nil)
        onMessage = nil
        onWritabilityChange = nil
        for promise in promises { promise.fail(error) }
    }

    private func perform(
        _ action: RedisConnectionStateMachine<EventLoopPromise<[RESPValue]>>.SendAction,
        _ promise: EventLoopPromise<[RESPValue]>, _ bytes: ByteBuffer
    ) {
        switch action {
        case .fail(let error): promise.fail(error)
        case .write:
            // A write that fails ends the channel, and the end of the channel fails whatever is pending.
            context?.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
            armTimer()
        }
    }

    private func armTimer() {
        guard let deadline = state.timerToArm() else { return }
        timer?.cancel()
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.timer = nil
            if let reason = self.state.timerFired(now: .now()) { self.close(reason) } else { self.armTimer() }
        }
    }

    private func startPings() {
        let interval = TimeAmount(configuration.subscriptionPingInterval)
        let ping = RedisPipeline([RedisCommand("PING")]).buffer
        let loopBound = NIOLoopBound(self, eventLoop: eventLoop)
        pings = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { task in
            let handler = loopBound.value
            switch handler.state.pingDue() {
            case .ping: handler.context?.writeAndFlush(handler.wrapOutboundOut(ping), promise: nil)
            case .close(let reason): handler.close(reason)
            case .stop: task.cancel()
            }
        }
    }

    // MARK: What the channel reports

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        close(RedisError(.outcomeUnknown, "the connection was taken down"))
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try reader.feed(unwrapInboundIn(data))
            // A callback may close the connection; what the server sent behind that point is nobody's.
            while !state.isClosed, let value = try reader.next() {
                perform(state.received(value))
            }
            armTimer()
        } catch {
            close(.wrapping(error, as: .protocolViolation, "a reply could not be read"))
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        onWritabilityChange?(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        close(RedisError(.outcomeUnknown, "the connection to \(configuration.address) was lost"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(RedisError(.outcomeUnknown, "the connection to \(configuration.address) failed", underlying: error))
    }

    private func perform(_ action: RedisConnectionStateMachine<EventLoopPromise<[RESPValue]>>.ReceiveAction) {
        switch action {
        case .wait: break
        case .succeed(let promise, let replies): promise.succeed(replies)
        case .message(let channel, let payload): onMessage?(channel, payload)
        case .close(let reason): close(reason)
        }
    }
}
