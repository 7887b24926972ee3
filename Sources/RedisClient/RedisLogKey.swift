/// The metadata keys of this module's log lines.
enum RedisLogKey {
    static let server = "redis.server"
    static let identity = "redis.identity"
    static let generation = "redis.generation"
    static let reason = "redis.reason"
    static let pending = "redis.pending"
    static let pause = "redis.pause"
    static let library = "redis.library"
    static let version = "redis.version"
}
