package import RedisClient

/// What all processes of one fleet must agree on.
package struct FleetConfiguration: Sendable {
    /// The Redis of the fleet.
    package var redis: RedisConfiguration
    /// What all keys begin with, so that two fleets can share a Redis.
    package var keyPrefix: String
    /// Number of partitions; written to Redis by the first process, and all others must agree.
    package var partitions: Int

    /// Reads the settings.
    ///
    /// ## Configuration keys
    /// - `redis.…`: see `RedisConfiguration`.
    /// - `key.prefix` (text, optional, default `earshot`): lower-case letters, digits, dashes, at most 32.
    /// - `partitions` (whole number, optional, default 256): 1 to 4096.
    package init(settings: Settings) throws {
        redis = try RedisConfiguration(settings: settings)
        keyPrefix = settings.string("key.prefix", default: "earshot")
        guard keyPrefix.utf8.count <= 32, keyPrefix.utf8.allSatisfy(Self.isAllowed) else {
            // Braces would break the hash tags, and a colon the structure of the keys.
            throw settings.error(
                "key.prefix", problem: "\(keyPrefix.debugDescription) cannot begin a key",
                allowed: "up to 32 lower-case letters, digits and dashes")
        }
        partitions = try settings.int("partitions", in: 1...4096, default: 256)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
