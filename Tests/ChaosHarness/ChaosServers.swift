import Foundation
import PostgresClient
import Synchronization
import TestSupport

/// The harness's own Redis (every write on disk before it is acknowledged) and Postgres, each behind a fault proxy that
/// knows which process of the fleet a connection belongs to.
final class ChaosServers: Sendable {
    let redis: RedisServer
    let postgres: PostgresServer
    let redisProxy: FaultProxy
    let postgresProxy: FaultProxy
    private let supervisor: Supervisor

    /// The process whose children connect, once it is known.
    final class Supervisor: Sendable {
        private let pid = Mutex<Int32>(0)

        func set(_ pid: Int32) { self.pid.withLock { $0 = pid } }

        /// The node a connection comes from: one of the supervisor's children.
        func node(clientPort: Int, proxyPort: Int) -> String? {
            let parent = pid.withLock(\.self)
            guard parent > 0, let inode = SocketOwner.inode(localPort: clientPort, remotePort: proxyPort) else {
                return nil
            }
            let owner = ProcessTable.children(of: parent).first { SocketOwner.holds($0, inode: inode) }
            return owner.flatMap(ProcessTable.node)
        }
    }

    private init(
        redis: RedisServer, postgres: PostgresServer, redisProxy: FaultProxy, postgresProxy: FaultProxy,
        supervisor: Supervisor
    ) {
        self.redis = redis
        self.postgres = postgres
        self.redisProxy = redisProxy
        self.postgresProxy = postgresProxy
        self.supervisor = supervisor
    }

    static func started() async throws -> ChaosServers {
        let redis = try await offload { try RedisServer.started() }
        let postgres = try await offload { try PostgresServer() }
        let supervisor = Supervisor()
        return ChaosServers(
            redis: redis, postgres: postgres, redisProxy: try await labelling(redis.port, supervisor),
            postgresProxy: try await labelling(postgres.port, supervisor), supervisor: supervisor)
    }

    private static func labelling(_ port: Int, _ supervisor: Supervisor) async throws -> FaultProxy {
        let ownPort = PortCell()
        let proxy = try await FaultProxy.started(to: port) { clientPort in
            supervisor.node(clientPort: clientPort, proxyPort: ownPort.value.withLock(\.self))
        }
        ownPort.value.withLock { $0 = proxy.port }
        return proxy
    }

    private final class PortCell: Sendable {
        let value = Mutex(0)
    }

    var redisURL: String { "redis://127.0.0.1:\(redisProxy.port)/0" }
    var postgresURL: String { url(port: postgresProxy.port) }
    /// Past the proxy, for the harness itself.
    var directPostgresURL: String { url(port: postgres.port) }

    private func url(port: Int) -> String {
        "postgres://earshot:\(PostgresServer.encodedPassword)@127.0.0.1:\(port)/postgres"
    }

    /// Names the fleet's supervisor, so that connections get labels.
    func serve(_ supervisor: Int32) { self.supervisor.set(supervisor) }

    func proxy(of link: String) -> FaultProxy { link == "postgres" ? postgresProxy : redisProxy }

    /// Kills or stops a server and starts it again on the same data after a pause.
    func replace(_ server: String, isKilled: Bool, pause: Duration) async throws {
        if server == "redis" {
            if !isKilled { await end(redisPIDs, with: SIGTERM) }
            redis.kill()
            try await rest(pause)
            try await offload { [redis] in try redis.start() }
        } else {
            if isKilled { kill(try postgres.postmaster, SIGKILL) }
            // Orphaned backends go by themselves; a new postmaster may not start beside them.
            try await offload { [postgres] in postgres.stop() }
            try await rest(max(pause, .milliseconds(500)))
            try await offload { [postgres] in try postgres.start() }
        }
    }

    /// Stops a server's execution, or lets it go on.
    func freeze(_ server: String, _ isFrozen: Bool) throws {
        if server == "redis" {
            if isFrozen { redis.freeze() } else { redis.thaw() }
        } else {
            let postmaster = try postgres.postmaster
            for pid in [postmaster] + ProcessTable.children(of: postmaster) { kill(pid, isFrozen ? SIGSTOP : SIGCONT) }
        }
    }

    private var redisPIDs: [Int32] {
        ProcessTable.children(of: getpid()).filter { ProcessTable.name(of: $0) == "redis-server" }
    }

    private func end(_ pids: [Int32], with signal: Int32) async {
        for pid in pids { kill(pid, signal) }
        // Its own exit is collected by whoever started it; a moment lets it write its file.
        try? await rest(.milliseconds(500))
    }

    func stop() async {
        await redisProxy.stop()
        await postgresProxy.stop()
        redis.kill()
        try? await offload { [postgres] in postgres.stop(removing: true) }
    }
}
