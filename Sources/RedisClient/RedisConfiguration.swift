/// Where a Redis server is, who we are to it, and the bounds kept while talking to it.
///
/// The password appears in no description and in no reflection of this value.
package struct RedisConfiguration: Sendable {
    /// The server's name or address.
    package var host: String
    /// The server's port.
    package var port: Int
    /// The ACL user; nil is the server's default user.
    package var username: String?
    /// The password; nil sends no `AUTH` unless there is a user name.
    package var password: String?
    /// The database number, selected if it is not 0.
    package var database: Int
    /// How to encrypt the connection; nil leaves it in the clear.
    package var tls: RedisTLS?
    /// The name the connection has in `CLIENT LIST`; printable ASCII without spaces.
    package var clientName = "earshot"

    /// How long opening a connection may take, and again how long the server may take to admit us.
    package var connectTimeout: Duration = .seconds(2)
    /// How long a reply may take before its connection is given up.
    ///
    /// A healthy Redis answers in milliseconds, so this only has to outlast a slow disk under `appendfsync always`.
    package var commandTimeout: Duration = .seconds(5)
    /// The first interval a reconnect pause is drawn from.
    package var reconnectBase: Duration = .milliseconds(50)
    /// The longest interval a reconnect pause is drawn from.
    package var reconnectCap: Duration = .seconds(2)
    /// How often a subscription asks the server for a sign of life; two intervals without one are a dead connection.
    package var subscriptionPingInterval: Duration = .seconds(10)

    /// How many pipelines may wait for their replies on one connection.
    ///
    /// At 5 s of patience that is 800 a second, far more than one loop's tick needs, and it bounds what a stalled
    /// server can pile up.
    package var maximumPendingPipelines = 4096
    /// How many commands may wait for a client to be connected; the same bound for the same reason.
    package var maximumWaitingCommands = 4096
    /// The largest reply taken, in bytes.
    ///
    /// A read of 256 partitions of full entries stays well below it.
    package var maximumReplyBytes = 256 << 20
    /// Unwritten bytes past which a connection is not writable; it is again at half of it.
    ///
    /// About a tenth of a second of the busiest loop's appends.
    package var writeBufferBytes = 1 << 20

    /// Creates a configuration with the default bounds.
    ///
    /// - Parameters:
    ///   - host: The server's name or address.
    ///   - port: The server's port.
    ///   - username: The ACL user; nil is the server's default user.
    ///   - password: The password, if the server wants one.
    ///   - database: The database number.
    ///   - tls: How to encrypt the connection; nil leaves it in the clear.
    package init(
        host: String, port: Int = 6379, username: String? = nil, password: String? = nil, database: Int = 0,
        tls: RedisTLS? = nil
    ) {
        self.host = host
        self.port = port
        self.username = username
        self.password = password
        self.database = database
        self.tls = tls
    }

    /// The server's address as `host:port`.
    package var address: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Checks every field; called before each connection, so a bad value is named and never acted on.
    ///
    /// - Throws: `RedisError` with code `.invalidConfiguration`, naming the field and what is allowed.
    package func validate() throws(RedisError) {
        try Self.require(!host.isEmpty, "the host is empty")
        try Self.require((1...65_535).contains(port), "the port is \(port); allowed are 1 to 65535")
        try Self.require(database >= 0, "the database is \(database); allowed are 0 and above")
        let nameIsPlain = clientName.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        try Self.require(nameIsPlain, "the client name '\(clientName)' holds a space or a non-ASCII character")
        let times: [(String, Duration)] = [
            ("connect timeout", connectTimeout), ("command timeout", commandTimeout),
            ("first reconnect interval", reconnectBase), ("longest reconnect interval", reconnectCap),
            ("subscription ping interval", subscriptionPingInterval),
        ]
        for (name, time) in times {
            try Self.require(
                time > .zero && time <= RedisTime.longest,
                "the \(name) is \(time); allowed is more than zero up to \(RedisTime.longest)")
        }
        let bounds = [
            ("bound on pending pipelines", maximumPendingPipelines),
            ("bound on waiting commands", maximumWaitingCommands),
            ("bound on a reply's bytes", maximumReplyBytes), ("write buffer", writeBufferBytes),
        ]
        for (name, bound) in bounds {
            try Self.require(
                (1...Int(Int32.max)).contains(bound), "the \(name) is \(bound); allowed are 1 to \(Int32.max)")
        }
    }

    static func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(RedisError) {
        guard condition else { throw RedisError(.invalidConfiguration, message()) }
    }
}

extension RedisConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Scheme, user, address and database; never the password.
    package var description: String {
        let user = username.map { "\($0)@" } ?? ""
        return "\(tls == nil ? "redis" : "rediss")://\(user)\(address)/\(database)"
    }

    /// The same as `description`.
    package var debugDescription: String { description }

    /// Hides the fields, so that `dump` and test failures print no password.
    package var customMirror: Mirror { Mirror(self, children: ["url": description]) }
}
