import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// One attempt to open a connection, which can be given up at any time.
final class RedisDial: Sendable {
    private struct Progress {
        /// More than one while IPv4 and IPv6 are tried side by side.
        ///
        /// The handlers are kept here because a channel that was lost meanwhile has none any more, and the handler
        /// knows why it was lost.
        var openings: [(channel: any Channel, handler: NIOLoopBound<RedisChannelHandler>)] = []
        var isCancelled = false
    }

    private let progress = Mutex(Progress())

    /// Begins the attempt.
    ///
    /// To be called once.
    func start(
        _ configuration: RedisConfiguration, on eventLoop: any EventLoop, logger: Logger
    ) -> EventLoopFuture<RedisConnection> {
        var logger = logger
        logger[metadataKey: RedisLogKey.server] = "\(configuration)"
        let bootstrap: ClientBootstrap
        do {
            try configuration.validate()
            bootstrap = try makeBootstrap(configuration, on: eventLoop, logger: logger)
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
        return bootstrap.connect(host: configuration.host, port: configuration.port)
            .flatMapErrorThrowing { error in
                throw RedisError.wrapping(error, as: .notConnected, "cannot connect to \(configuration.address)")
            }
            .flatMap { channel in
                RedisHandshake(configuration: configuration).perform(on: channel, self.handler(of: channel))
            }
    }

    /// Gives the attempt up: its future fails at once, except during a name look-up, which NIO cannot interrupt and
    /// which the connect time-out bounds.
    func cancel() {
        let channels = progress.withLock { progress in
            progress.isCancelled = true
            return progress.openings.map(\.channel)
        }
        for channel in channels { channel.close(promise: nil) }
    }

    private func makeBootstrap(
        _ configuration: RedisConfiguration, on eventLoop: any EventLoop, logger: Logger
    ) throws(RedisError) -> ClientBootstrap {
        let tls = try configuration.tls?.context()
        // SNI takes names only; for an address NIOSSL compares the certificate with the peer's address.
        let isAddress = (try? SocketAddress(ipAddress: configuration.host, port: configuration.port)) != nil
        let serverName = isAddress ? nil : configuration.host
        return ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(configuration.connectTimeout))
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(
                .writeBufferWaterMark,
                value: .init(low: max(1, configuration.writeBufferBytes / 2), high: configuration.writeBufferBytes)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = try RedisChannelHandler(
                        configuration: configuration, eventLoop: channel.eventLoop, logger: logger)
                    try self.admit(channel, NIOLoopBound(handler, eventLoop: channel.eventLoop))
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: serverName))
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
    }

    private func handler(of channel: any Channel) -> NIOLoopBound<RedisChannelHandler> {
        let opening = progress.withLock { $0.openings.first { $0.channel === channel } }
        guard let opening else { preconditionFailure("a channel was connected that was never set up") }
        return opening.handler
    }

    private func admit(
        _ channel: any Channel, _ handler: NIOLoopBound<RedisChannelHandler>
    ) throws(RedisError) {
        let isCancelled = progress.withLock { progress in
            progress.openings.append((channel, handler))
            return progress.isCancelled
        }
        if isCancelled { throw RedisError(.cancelled, "the attempt to connect was given up") }
    }
}
