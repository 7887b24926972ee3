import Logging
import ServiceBootstrap

/// All processes of an `earshot up`, in the order in which they are started.
struct FleetChildren: Sendable {
    /// The private servers; nil for one that was given from outside.
    struct Servers: Sendable {
        var redis: RedisServer?
        var postgres: PostgresServer?
        var redisURL: String
        var postgresURL: String
    }

    /// Roles that compute with audio run with less priority.
    ///
    /// Where there is too much to do, taking audio in comes first; what is late waits in Redis.
    private static let computing: Set<String> = ["transcript", "private-cloud", "audio-bytes", "speaker-sample"]
    private static let computingNiceness = 10

    let redis: SupervisedChild?
    let postgres: SupervisedChild?
    /// Coordinators, workers and gateways.
    let roles: [SupervisedChild]

    var all: [SupervisedChild] { [redis, postgres].compactMap(\.self) + roles }

    /// Prepares the children; none is started.
    init(
        options: FleetOptions, servers: Servers, secrets: RoleEnvironment.Secrets, paths: DataDirectoryPaths,
        logger: Logger,
        onChange: @escaping @Sendable () -> Void
    ) {
        func child(_ specification: ChildSpecification?) -> SupervisedChild? {
            guard let specification else { return nil }
            return SupervisedChild(
                role: specification.role, node: specification.node, logger: logger, onChange: onChange
            ) { _ in specification }
        }
        redis = child(servers.redis?.specification)
        postgres = child(servers.postgres?.specification)
        let environment = RoleEnvironment(options: options, servers: servers, secrets: secrets, paths: paths)
        roles = WorkerCounts.roles.flatMap { role in
            (0..<options.workers[role]).map { index in
                SupervisedChild(role: role, node: "\(role)-\(index)", logger: logger, onChange: onChange) { status in
                    let command = Self.command("\(options.executables)/earshot-\(role)", role: role)
                    return ChildSpecification(
                        role: role, node: "\(role)-\(index)", executable: command[0],
                        arguments: Array(command.dropFirst()),
                        environment: environment.variables(role: role, index: index, lastListen: status.listen))
                }
            }
        }
    }

    private static func command(_ executable: String, role: String) -> [String] {
        guard computing.contains(role), let nice = ProgramSearch.path(of: "nice") else { return [executable] }
        return [nice, "-n", "\(computingNiceness)", executable]
    }

    /// The pids of what runs now, by role.
    var pids: [String: [Int32]] {
        var pids = Dictionary(
            uniqueKeysWithValues: (WorkerCounts.roles + ["redis", "postgres"]).map { ($0, [Int32]()) })
        for child in all {
            if let process = child.status.process { pids[child.role, default: []].append(process.pid) }
        }
        return pids
    }
}
