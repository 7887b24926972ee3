package import EarshotModel
package import Logging
package import NIOCore
package import RedisClient

/// The announcements of changed settings, one subscription a process.
package struct SettingsSubscription: Sendable {
    private let subscription: RedisSubscription
    private let onChange: @Sendable (UserID?) -> Void

    /// A subscription that begins when it runs; `onChange` gets the user, or `nil` when announcements may have been
    /// missed.
    package init(
        configuration: RedisConfiguration, keys: StreamKeys, eventLoop: any EventLoop, logger: Logger,
        onChange: @escaping @Sendable (UserID?) -> Void
    ) {
        subscription = RedisSubscription(
            configuration, eventLoop: eventLoop, logger: logger, channels: [keys.settingsChannel])
        self.onChange = onChange
    }

    /// Keeps the subscription until the task is cancelled.
    package func run() async {
        await subscription.run { [onChange] event in
            switch event {
            case .subscribed: onChange(nil)
            case .message(_, let payload): onChange(UserID(String(buffer: payload)))
            case .lost: break
            }
        }
    }
}
