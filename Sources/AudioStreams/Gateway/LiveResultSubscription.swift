package import EarshotModel
package import Logging
package import NIOCore
package import RedisClient

/// The one subscription by which a gateway gets the live results of all its sessions.
package struct LiveResultSubscription: Sendable {
    /// What arrives.
    package enum Event: Sendable {
        /// A result for one of the gateway's sessions.
        case result(LiveResult)
        /// The subscription stands again: finals may have been missed and are fetched.
        case resubscribed
    }

    private let subscription: RedisSubscription

    /// A subscription that begins when it runs.
    package init(
        configuration: RedisConfiguration, keys: StreamKeys, gateway: Incarnation, eventLoop: any EventLoop,
        logger: Logger
    ) {
        subscription = RedisSubscription(
            configuration, eventLoop: eventLoop, logger: logger, channels: [keys.results(gateway)])
    }

    /// Keeps the subscription until the task is cancelled.
    package func run(onEvent: @escaping @Sendable (Event) -> Void) async {
        await subscription.run { event in
            switch event {
            case .subscribed: onEvent(.resubscribed)
            case .message(_, let payload):
                if let result = LiveResult(decoding: payload) { onEvent(.result(result)) }
            case .lost: break
            }
        }
    }
}
