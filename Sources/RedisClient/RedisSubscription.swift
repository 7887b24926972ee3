package import Logging
package import NIOCore

/// A subscription to channels that comes back by itself.
///
/// Redis does not keep messages: what is published between `.lost` and the next `.subscribed` is gone, and the receiver
/// must fetch it some other way.
package final class RedisSubscription: Sendable {
    /// What a subscription reports.
    package enum Event: Sendable, Hashable {
        /// The server confirmed every channel; after each connection anew.
        case subscribed
        /// A message was published.
        case message(channel: String, payload: ByteBuffer)
        /// The connection ended, also when `run` is cancelled; exactly one follows each `.subscribed`.
        case lost
    }

    /// The channels subscribed to.
    package let channels: [String]

    private let configuration: RedisConfiguration
    private let eventLoop: any EventLoop
    private let logger: Logger

    /// Creates a subscription; it connects once `run(onEvent:)` is called.
    ///
    /// - Parameters:
    ///   - configuration: Where the server is and who we are.
    ///   - eventLoop: The loop its connections live on and its events are reported on.
    ///   - logger: Gets info lines of connections lost.
    ///   - channels: At least one channel; an empty list is a programming error and stops the process.
    package init(_ configuration: RedisConfiguration, eventLoop: any EventLoop, logger: Logger, channels: [String]) {
        precondition(!channels.isEmpty, "a subscription needs at least one channel")
        // A channel named twice would be confirmed twice and delivered once.
        self.channels = Array(Set(channels)).sorted()
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.logger = logger
    }

    /// Keeps the subscription until the task is cancelled; the connection is closed when it returns.
    ///
    /// - Parameter onEvent: Called on the event loop, in order; it must not block.
    package func run(onEvent: @escaping @Sendable (Event) -> Void) async {
        let loop = RedisReconnectLoop(configuration: configuration, eventLoop: eventLoop, logger: logger)
        await loop.run { connection throws(RedisError) in
            let subscribed = RedisWait<Void>()
            let confirmation = connection.subscribe(to: channels) { channel, payload in
                onEvent(.message(channel: channel, payload: payload))
            }
            subscribed.settle(
                from: confirmation.map {
                    onEvent(.subscribed)
                    connection.closeFuture.whenComplete { _ in onEvent(.lost) }
                })
            try await subscribed.value()
        } ended: { _ in
        }
    }
}
