import Foundation
import Logging
import ServiceBootstrap

/// The variables with which a role's process is started, beside those of `earshot up` itself.
struct RoleEnvironment: Sendable {
    /// The fleet's own secrets.
    struct Secrets: Sendable {
        /// Signs access tokens.
        let token: String
        /// Users' keys for stored audio are derived from it.
        let encryption: String
    }

    /// The roles that talk to Postgres, and those that touch stored audio.
    private static let postgresRoles: Set<String> = ["coordinator", "webhook", "speaker-sample"]
    private static let storageRoles: Set<String> = ["private-cloud", "speaker-sample"]

    private let options: FleetOptions
    private let paths: DataDirectoryPaths
    private let redisURL: String
    private let postgresURL: String
    private let secrets: Secrets

    init(options: FleetOptions, servers: FleetChildren.Servers, secrets: Secrets, paths: DataDirectoryPaths) {
        self.options = options
        self.paths = paths
        redisURL = servers.redisURL
        postgresURL = servers.postgresURL
        self.secrets = secrets
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
            "EARSHOT_POSTGRES_URL": Self.postgresRoles.contains(role) ? .some(postgresURL) : .none,
            "EARSHOT_AUTH_HS256_SECRET": role == "gateway" ? .some(secrets.token) : .none,
            "EARSHOT_LISTEN": role == "gateway" ? listen(index: index, last: lastListen) : .none,
            // Only the flag switches development tokens on.
            "EARSHOT_DEV_AUTH": role == "gateway" ? "\(options.isDevelopmentAuthOn)" : .none,
        ]
        if options.redisURL == nil {
            // What the operator may have set of another Redis is not for the private one.
            variables["EARSHOT_REDIS_CA_FILE"] = .some(nil)
            variables["EARSHOT_REDIS_VERIFY_CERTIFICATE"] = .some(nil)
        }
        if let level = options.logLevel { variables["EARSHOT_LOG_LEVEL"] = .some(level.rawValue) }
        if ["transcript", "speaker-sample"].contains(role), let speech = options.speech {
            variables["EARSHOT_SPEECH_DIR"] = .some(speech)
        }
        return variables.merging(storage(role: role)) { $1 }
    }

    /// Where stored audio is; what the operator has set wins.
    private func storage(role: String) -> [String: String?] {
        guard Self.storageRoles.contains(role) else { return ["EARSHOT_ENCRYPTION_SECRET": .none] }
        let given = ProcessInfo.processInfo.environment
        var variables: [String: String?] = [:]
        if given["EARSHOT_STORE_DIR"] == nil { variables["EARSHOT_STORE_DIR"] = .some(paths.audio) }
        if given["EARSHOT_ENCRYPTION_SECRET"] == nil {
            variables["EARSHOT_ENCRYPTION_SECRET"] = .some(secrets.encryption)
        }
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
        return SocketEndpoint(host: wanted.host, port: options.gatewayPort(index)).description
    }
}
