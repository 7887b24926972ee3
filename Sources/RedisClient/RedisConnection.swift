package import Logging
package import NIOCore

/// One connection to a Redis server, on one event loop.
///
/// It never reconnects: when it is lost every pending pipeline fails and it stays closed. `RedisClient` keeps one
/// alive for tasks; a role that owns an event loop uses this type directly, and on that loop no call changes threads.
///
/// A pipeline whose reply is overdue while it is the oldest pending one closes the connection: the server or the
/// network is gone, and all the replies behind it are late too. Everything pending then fails with `.outcomeUnknown`.
package final class RedisConnection: Sendable {
    /// The loop the connection lives on; futures complete and callbacks run there.
    package let eventLoop: any EventLoop
    /// The server's run id: another one after every start of the server process.
    package let serverRunID: String
    /// The server's replication id: another one when a replica was promoted.
    package let replicationID: String

    private let channel: any Channel
    private let handler: NIOLoopBound<RedisChannelHandler>
    private let commandTimeout: Duration

    init(
        channel: any Channel, handler: NIOLoopBound<RedisChannelHandler>, commandTimeout: Duration,
        serverRunID: String, replicationID: String
    ) {
        eventLoop = channel.eventLoop
        self.channel = channel
        self.handler = handler
        self.commandTimeout = commandTimeout
        self.serverRunID = serverRunID
        self.replicationID = replicationID
    }

    /// Opens a connection: TCP, TLS if configured, `AUTH`, `SELECT`, `CLIENT SETNAME`, and a `PING` that a server still
    /// loading its data refuses.
    ///
    /// - Parameters:
    ///   - configuration: Where the server is and who we are.
    ///   - eventLoop: The loop the connection will live on.
    ///   - logger: Gets debug lines of the connection's life.
    /// - Returns: The connection, or a `RedisError`: `.notConnected`, `.server` if the server refused a step (`context`
    ///   names it), `.protocolViolation` or `.invalidConfiguration`.
    package static func connect(
        _ configuration: RedisConfiguration, on eventLoop: any EventLoop, logger: Logger
    ) -> EventLoopFuture<RedisConnection> {
        RedisDial().start(configuration, on: eventLoop, logger: logger)
    }

    /// Which server, in which of its lives, this is: run id and replication id.
    ///
    /// When it differs from that of the connection before, what the server was told then may be gone.
    package var serverIdentity: String { "\(serverRunID)/\(replicationID)" }

    /// Sends a pipeline with one write, under the configured command time-out.
    ///
    /// - Parameter pipeline: The commands.
    /// - Returns: One reply a command, in order; error replies are values among them. Fails with a `RedisError`:
    ///   `.notConnected` or `.overloaded` if nothing was sent, else `.outcomeUnknown` or `.protocolViolation`.
    package func send(_ pipeline: RedisPipeline) -> EventLoopFuture<[RESPValue]> {
        send(pipeline, timeout: commandTimeout)
    }

    /// Sends a pipeline under a time-out of its own.
    ///
    /// - Parameters:
    ///   - pipeline: The commands.
    ///   - timeout: How long the replies may take before the connection is closed; nil waits as long as it lasts,
    ///     which is for blocking reads.
    /// - Returns: As `send(_:)`.
    package func send(_ pipeline: RedisPipeline, timeout: Duration?) -> EventLoopFuture<[RESPValue]> {
        guard !eventLoop.inEventLoop else { return handler.value.send(pipeline, timeout: timeout) }
        return eventLoop.flatSubmit { [handler] in handler.value.send(pipeline, timeout: timeout) }
    }

    /// Subscribes to channels; from then on the connection takes no further command.
    ///
    /// - Parameters:
    ///   - channels: At least one channel.
    ///   - onMessage: Called on the event loop for each message.
    /// - Returns: Completes when the server confirmed every channel; fails as `send(_:)` does.
    package func subscribe(
        to channels: [String], onMessage: @escaping @Sendable (_ channel: String, _ payload: ByteBuffer) -> Void
    ) -> EventLoopFuture<Void> {
        guard !channels.isEmpty else {
            return eventLoop.makeFailedFuture(RedisError(.invalidConfiguration, "there is no channel to subscribe to"))
        }
        return eventLoop.flatSubmit { [handler] in
            handler.value.subscribe(to: channels, onMessage: onMessage).map { _ in }
        }
    }

    /// Whether the socket takes more bytes than are waiting already.
    ///
    /// - Important: May be asked on the event loop only. False once the connection is closed.
    package var isWritable: Bool { handler.value.isWritable }

    /// Whether the connection was closed or lost, as far as is known.
    ///
    /// - Important: May be asked on the event loop only; elsewhere use `closeFuture`.
    package var isClosed: Bool { handler.value.isClosed }

    /// Sets what is called, on the event loop, when the socket begins or ceases to take more bytes.
    ///
    /// Called no more once the connection is closed. A second call replaces the first.
    package func onWritabilityChange(_ body: @escaping @Sendable (Bool) -> Void) {
        onLoop { $0.onWritabilityChange = body }
    }

    /// Completes when the channel is closed, for whatever reason.
    package var closeFuture: EventLoopFuture<Void> { channel.closeFuture }

    /// Closes the connection at once; what is pending fails with `.outcomeUnknown`.
    ///
    /// May be called from anywhere, again and again.
    package func close() {
        onLoop { $0.close(RedisError(.outcomeUnknown, "the connection was closed by this process")) }
    }

    private func onLoop(_ body: @escaping @Sendable (RedisChannelHandler) -> Void) {
        guard !eventLoop.inEventLoop else { return body(handler.value) }
        eventLoop.execute { [handler] in body(handler.value) }
    }
}
