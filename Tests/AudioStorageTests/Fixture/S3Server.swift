import Foundation
import Glibc
import HTTPTransport
import Logging
import TestSupport

@testable import AudioStorage

/// A real S3 server of another make, from PyPI, as a child of the test process.
actor S3Server {
    enum Kind: String, CaseIterable, Sendable {
        /// AWS's behaviour; believes every signature.
        case moto
        /// Checks signatures.
        case nanio
    }

    /// One of each for the whole process.
    static let moto = S3Server(.moto)
    static let nanio = S3Server(.nanio)

    private let kind: Kind
    private var running: (process: ChildProcess, port: Int)?
    static let accessKey = "AKIAEARSHOTTEST"
    static let secretKey = "a-secret-key-of-the-tests/with+signs"

    private init(_ kind: Kind) { self.kind = kind }

    /// Runs a body with a fresh bucket, reached through the real transport.
    static func withStore<Value: Sendable>(
        _ kind: Kind, _ change: (inout S3Configuration) -> Void = { _ in },
        _ body: (S3ObjectStore) async throws -> Value
    ) async throws -> Value {
        let port = try await (kind == .moto ? moto : nanio).port()
        var configuration = try S3Configuration(
            endpoint: "http://127.0.0.1:\(port)", region: "us-east-1",
            bucket: "test-\(UUID().uuidString.lowercased())", accessKey: accessKey, secretKey: secretKey)
        change(&configuration)
        return try await withTransport { http in
            let store = S3ObjectStore(configuration, http: http)
            // The server listens a moment after it was started.
            try await eventually(
                "\(kind) makes a bucket",
                isTrue: {
                    (try? await store.exchange.perform(S3Exchange.Call(method: .put, what: "make a bucket"))) != nil
                })
            return try await body(store)
        }
    }

    /// Runs a body with a transport that may connect to this machine.
    static func withTransport<Value: Sendable>(
        _ body: (HTTPTransport) async throws -> Value
    ) async throws -> Value {
        let http = HTTPTransport(
            HTTPTransportConfiguration(destinations: .anyAddress(allowsPlainHTTP: true)), logger: .silent)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await http.run() }
            defer { tasks.cancelAll() }
            return try await body(http)
        }
    }

    private func port() throws -> Int {
        if let running, running.process.isRunning { return running.port }
        let port = try Self.freePort()
        let python = try Self.python()
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("earshot-s3-\(UUID())").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let command: [String]
        switch kind {
        case .moto: command = [python, "-m", "moto.server", "-H", "127.0.0.1", "-p", "\(port)"]
        case .nanio:
            command = [
                "env", "NANIO_ACCESS_KEY=\(Self.accessKey)", "NANIO_SECRET_KEY=\(Self.secretKey)", python, "-m",
                "nanio", "serve", "--host", "127.0.0.1", "--port", "\(port)", "--data-dir", directory,
                "--no-access-log",
            ]
        }
        running = (try ChildProcess(command, output: directory + "/log"), port)
        return port
    }

    private static func python() throws -> String {
        if let path = ProcessInfo.processInfo.environment["EARSHOT_TEST_PYTHON"], !path.isEmpty { return path }
        let path = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("../../../.cache/python/bin/python").standardized.path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw ChildProcess.Failure("\(path) is missing; run scripts/fetch-python")
        }
        return path
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
