import Foundation
import Glibc
import RedisClient
import Synchronization

/// A real redis-server of a test's own: a free port, a temporary directory, nothing written to disk unless asked for.
final class RedisServerFixture: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let port: Int
    let directory: String
    private let arguments: [String]
    private let isEncrypted: Bool
    private let child = Mutex<pid_t?>(nil)

    private init(port: Int, directory: String, options: [String], isEncrypted: Bool) {
        self.port = port
        self.directory = directory
        self.isEncrypted = isEncrypted
        let plainPort = isEncrypted ? 0 : port
        arguments =
            ["--bind", "127.0.0.1", "--port", "\(plainPort)", "--dir", directory]
            + ["--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", "\(directory)/log"]
            + (isEncrypted ? Self.encryption(port: port, directory: directory) : [])
            + options
    }

    /// Starts a server, runs the body and stops the server whatever happens.
    ///
    /// Options are further arguments of redis-server and win over the fixture's own. An encrypted server speaks TLS
    /// only, with a self-signed certificate at `certificateFile`.
    static func with<R>(
        options: [String] = [], isEncrypted: Bool = false, _ body: (RedisServerFixture) async throws -> R
    ) async throws -> R {
        // Another process may take the free port before the server binds it; then another one is tried.
        for attempt in 1...5 {
            let directory = try makeDirectory()
            defer { try? FileManager.default.removeItem(atPath: directory) }
            if isEncrypted { try await makeCertificate(in: directory) }
            let server = RedisServerFixture(
                port: try freePort(), directory: directory, options: options, isEncrypted: isEncrypted)
            do {
                try await server.start()
            } catch  where attempt < 5 {
                server.kill()
                continue
            }
            defer { server.kill() }
            return try await body(server)
        }
        preconditionFailure("the last attempt returns or throws")
    }

    /// A configuration for this server, with short pauses between attempts to reconnect.
    var configuration: RedisConfiguration {
        var configuration = RedisConfiguration(host: "127.0.0.1", port: port)
        configuration.reconnectCap = .milliseconds(200)
        // The machine the tests run on may be busy: no test depends on these being short.
        configuration.connectTimeout = .seconds(20)
        configuration.commandTimeout = .seconds(60)
        return configuration
    }

    var certificateFile: String { "\(directory)/cert.pem" }

    /// Starts the server, again after `kill()`, and waits until it takes connections.
    func start() async throws {
        let log = "\(directory)/log"
        try? FileManager.default.removeItem(atPath: log)
        let pid = try Self.spawn(["redis-server"] + arguments)
        child.withLock { $0 = pid }
        try await Self.poll("redis-server to be ready") {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            if text.contains("Ready to accept connections") { return true }
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == 0 else {
                child.withLock { $0 = nil }
                throw Failure(description: "redis-server ended with status \(status): \(text.suffix(500))")
            }
            return false
        }
    }

    /// Asks again and again, for at most half a minute, whether something outside this process has happened.
    static func poll(_ event: String, until hasHappened: () async throws -> Bool) async throws {
        for _ in 0..<3_000 {
            if try await hasHappened() { return }
            // tidy:allow Task.sleep nothing tells this process what another one or the kernel has done
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Failure(description: "waited 30 s in vain for \(event)")
    }

    /// Kills the server and waits for its end.
    func kill() {
        guard let pid = child.withLock({ $0.take() }) else { return }
        Glibc.kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }

    /// Stops the server's execution; it keeps its connections and answers nothing.
    func freeze() {
        child.withLock { if let pid = $0 { Glibc.kill(pid, SIGSTOP) } }
    }

    /// Lets a frozen server go on.
    func thaw() {
        child.withLock { if let pid = $0 { Glibc.kill(pid, SIGCONT) } }
    }

    /// Whether bytes lie unread in a socket of the server, as the kernel tells.
    func hasUnreadBytes() throws -> Bool {
        // Columns: slot, local address, remote address, state (01 is established), send queue:receive queue.
        let ending = ":" + String(format: "%04X", port)
        // String(contentsOfFile:) stops at the first page, since the file gives its size as zero.
        let table = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/net/tcp")).readToEnd() ?? Data()
        return String(decoding: table, as: UTF8.self).split(separator: "\n").contains { line in
            let columns = line.split(separator: " ")
            guard columns.count > 4, columns[1].hasSuffix(ending), columns[3] == "01" else { return false }
            return !columns[4].hasSuffix(":00000000")
        }
    }

    // MARK: Processes, ports, files

    /// Starts a program with an empty signal mask: a child of a task would inherit that of the pool's threads.
    private static func spawn(_ command: [String]) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        // A child that inherited another test's socket would keep it open after that test has closed it.
        for descriptor: Int32 in 3..<1_024 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid = pid_t()
        let result = posix_spawnp(&pid, command[0], &actions, &attributes, &words, environ)
        guard result == 0 else {
            throw Failure(description: "cannot start \(command[0]): \(String(cString: strerror(result)))")
        }
        return pid
    }

    /// A port below those the kernel gives to outgoing connections, one of which could otherwise take the port of a
    /// server while that is being restarted.
    private static func freePort() throws -> Int {
        for _ in 0..<100 {
            let port = UInt16.random(in: 10_000..<32_000)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            address.sin_port = port.bigEndian
            let length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
            }
            if result == 0 { return Int(port) }
        }
        throw Failure(description: "no free port among 100: errno \(errno)")
    }

    private static func makeDirectory() throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("earshot-redis-\(UUID())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private static func encryption(port: Int, directory: String) -> [String] {
        [
            "--tls-port", "\(port)", "--tls-cert-file", "\(directory)/cert.pem",
            "--tls-key-file", "\(directory)/key.pem", "--tls-ca-cert-file", "\(directory)/cert.pem",
            "--tls-auth-clients", "no",
        ]
    }

    private static func makeCertificate(in directory: String) async throws {
        let pid = try spawn([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", "\(directory)/key.pem", "-out", "\(directory)/cert.pem", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ])
        var status: Int32 = 0
        try await poll("openssl to end") { waitpid(pid, &status, WNOHANG) != 0 }
        guard FileManager.default.fileExists(atPath: "\(directory)/cert.pem"), status == 0 else {
            throw Failure(description: "openssl made no certificate; status \(status)")
        }
    }
}
