import Logging
import ServiceBootstrap

/// The variables with which a role's process is started, beside those of `earshot up` itself.
struct RoleEnvironment: Sendable {
    private let options: FleetOptions
    private let redisURL: String
    private let postgresURL: String
    private let tokenSecret: String

    init(options: FleetOptions, servers: FleetChildren.Servers, tokenSecret: String) {
        self.options = options
        redisURL = servers.redisURL
        postgresURL = servers.postgresURL
        self.tokenSecret = tokenSecret
    }

    /// The variables of one process; nil takes one away that `earshot up` may have.
    ///
    /// - Parameters:
    ///   - role: The process' role.
    ///   - index: Its number among the role's.
    ///   - lastListen: Where a gateway of this name listened before, so that it comes back on the same port.
    /// - Returns: What to set, and what to take away.
    func variables(role: String, index: Int, lastListen: String?) -> [String: String?] {
        let node = "\(role)-\(index)"
        var variables: [String: String?] = [
            "EARSHOT_REDIS_URL": redisURL, "EARSHOT_NODE": node, "EARSHOT_NODE_NAME": node,
            "EARSHOT_ADMIN": "127.0.0.1:0", "EARSHOT_ANNOUNCE": "true",
            // Each secret goes only to the role that needs it.
            "EARSHOT_POSTGRES_URL": role == "coordinator" ? .some(postgresURL) : .none,
            "EARSHOT_AUTH_HS256_SECRET": role == "gateway" ? .some(tokenSecret) : .none,
            "EARSHOT_LISTEN": role == "gateway" ? listen(index: index, last: lastListen) : .none,
            // Only the flag switches development tokens on.
            "EARSHOT_DEV_AUTH": role == "gateway" ? "\(options.isDevelopmentAuthOn)" : .none,
        ]
        if let level = options.logLevel { variables["EARSHOT_LOG_LEVEL"] = .some(level.rawValue) }
        if role == "transcript", let speech = options.speech { variables["EARSHOT_SPEECH_DIR"] = .some(speech) }
        return variables
    }

    /// The first gateway gets the port asked for, the others the ones behind it.
    private func listen(index: Int, last: String?) -> String {
        let wanted = options.listen
        if wanted.port == 0, let last, last.hasPrefix("ws://"),
            let endpoint = SocketEndpoint(parsing: String(last.dropFirst(5)))
        {
            return endpoint.description
        }
        let port = wanted.port == 0 ? 0 : wanted.port + index
        return SocketEndpoint(host: wanted.host, port: port).description
    }
}
