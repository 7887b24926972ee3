import Foundation
import NIOCore
import TestSupport

/// A whole fleet under `earshot up`, with the harness's Redis and Postgres.
final class ChaosFleet: Sendable {
    private struct Ready: Decodable {
        let admin: String
        let pids: [String: [Int32]]
    }

    /// Where gateways listen, by their index.
    let gatewayPorts: [Int]
    /// Processes of each role.
    let roles: [String: Int]
    let directory: String
    /// Where its programs are.
    let binaries: String
    private let admin: String
    private let supervisor: ChildProcess

    private init(
        gatewayPorts: [Int], roles: [String: Int], directory: String, binaries: String, admin: String,
        supervisor: ChildProcess
    ) {
        self.gatewayPorts = gatewayPorts
        self.roles = roles
        self.directory = directory
        self.binaries = binaries
        self.admin = admin
        self.supervisor = supervisor
    }

    /// Where its output goes.
    var log: String { "\(directory).log" }

    /// Starts the fleet and waits until all of it is ready.
    ///
    /// - Parameters:
    ///   - binaries: The directory of the programs.
    ///   - workers: As `earshot up --workers` takes it; names the number of gateways.
    ///   - servers: Its Redis and Postgres.
    /// - Returns: The fleet, ready.
    /// - Throws: What starting it, or waiting for it, throws.
    static func started(binaries: String, workers: String, servers: ChaosServers) async throws -> ChaosFleet {
        // Below the range the system gives out, so that a gateway finds its port again after a restart.
        let base = Int.random(in: 20_000..<30_000)
        let directory = "/tmp/earshot-chaos-\(UUID().uuidString.prefix(8))"
        let output = "\(directory).log"
        let supervisor = try ChildProcess(
            [
                // The receiver is on this machine, which no public fleet would ever connect to.
                "env", "EARSHOT_WEBHOOK_ALLOW_NETWORKS=127.0.0.0/8", "EARSHOT_WEBHOOK_ALLOW_HTTP=true",
                "\(binaries)/earshot", "up", "--data-dir", directory, "--listen", "127.0.0.1:\(base)", "--admin",
                "127.0.0.1:0", "--dev-auth", "--workers", workers, "--json", "--redis-url", servers.redisURL,
                "--postgres-url", servers.postgresURL,
            ], output: output)
        servers.serve(supervisor.pid)
        let ready = try await eventually(within: .seconds(300), "the fleet is ready (see \(output))") {
            let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
            guard supervisor.isRunning else {
                throw ChildProcess.Failure("earshot up ended: \(text.suffix(2_000))")
            }
            let line = text.split(separator: "\n").first { $0.hasPrefix("{\"") && $0.contains("\"pids\"") }
            return try line.map { try JSONDecoder().decode(Ready.self, from: Data($0.utf8)) }
        }
        let roles = ready.pids.mapValues(\.count).filter { $0.value > 0 }
        let ports = (0..<(roles["gateway"] ?? 0)).map { base + $0 }
        return ChaosFleet(
            gatewayPorts: ports, roles: roles, directory: directory, binaries: binaries, admin: ready.admin,
            supervisor: supervisor)
    }

    /// The processes that run now, by their names.
    var nodes: [String: Int32] {
        let named = ProcessTable.children(of: supervisor.pid).compactMap { pid in
            ProcessTable.node(of: pid).map { ($0, pid) }
        }
        return Dictionary(named, uniquingKeysWith: { first, _ in first })
    }

    /// The supervisor's own.
    var supervisorPID: Int32 { supervisor.pid }

    /// The metrics of all processes, as one text.
    func metrics() async throws -> Metrics { Metrics(try await HTTPFetch.text(admin, "/metrics")) }

    /// Whether everything is up.
    func isReady() async -> Bool { (try? await HTTPFetch.text(admin, "/readyz", within: .seconds(5))) != nil }

    /// Ends it in good order.
    func stop(keepingLog: Bool) async {
        for pid in nodes.values { kill(pid, SIGCONT) }
        supervisor.send(SIGINT)
        try? await eventually(within: .seconds(90), "the supervisor's end") { !supervisor.isRunning }
        supervisor.kill()
        try? FileManager.default.removeItem(atPath: directory)
        if !keepingLog { try? FileManager.default.removeItem(atPath: log) }
    }
}
