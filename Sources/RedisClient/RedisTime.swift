import NIOCore

/// Turns durations into points in time of the event loop's clock.
enum RedisTime {
    /// The longest wait taken; longer ones are cut, so that no sum can overflow.
    static let longest = Duration.seconds(24 * 3600)

    /// The given time from now, between now and `longest` from now.
    static func deadline(after duration: Duration) -> NIODeadline {
        .now() + TimeAmount(min(max(duration, .zero), longest))
    }
}
