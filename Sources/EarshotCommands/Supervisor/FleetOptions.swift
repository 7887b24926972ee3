import Logging
import RedisClient
import ServiceBootstrap

/// What an `earshot up` is asked to run.
struct FleetOptions: Sendable {
    var dataDirectory: String
    var listen = SocketEndpoint(host: "127.0.0.1", port: 8080)
    var admin = SocketEndpoint(host: "127.0.0.1", port: 8081)
    var isDevelopmentAuthOn = false
    var workers = WorkerCounts()
    var logLevel: Logger.Level?
    /// A Redis that is there already; nil starts a private one.
    var redisURL: String?
    /// How that one is reached from here.
    var redis: RedisConfiguration?
    /// A Postgres that is there already; nil starts a private one.
    var postgresURL: String?
    /// The directory of the roles' programs.
    var executables: String
    var migrations: String
    /// The speech engine's files; nil leaves it to the worker to find them, and to say what is missing.
    var speech: String?
    /// The secret that signs tokens, when it does not come from the data directory.
    var tokenSecret: String?

    /// The port of a gateway, 0 when the system chooses.
    ///
    /// The first has the one asked for, each other the one behind the one before, except the admin's.
    func gatewayPort(_ index: Int) -> Int {
        guard listen.port > 0 else { return 0 }
        let port = listen.port + index
        let isBehindAdmin = admin.port > listen.port && admin.port <= port
        return isBehindAdmin ? port + 1 : port
    }
}
