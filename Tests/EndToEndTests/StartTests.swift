import Foundation
import TestSupport
import Testing

/// Processes started alone, in bad times.
@Suite(.serialized) struct StartTests {
    private func output(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    private func count(_ text: String, in log: String) -> Int { output(log).components(separatedBy: text).count - 1 }

    /// Runs the body with a path for a log and the process that writes it; kills that afterwards.
    private func withProcess(
        _ command: [String], _ body: (ChildProcess, String) async throws -> Void
    ) async throws {
        let log = "/tmp/earshot-start-\(UUID().uuidString).log"
        defer { try? FileManager.default.removeItem(atPath: log) }
        let process = try ChildProcess(command, output: log)
        defer { process.kill() }
        try await body(process, log)
    }

    @Test(
        "A process started without Redis waits, says so without the password, and works once Redis is there",
        arguments: ["gateway", "transcript", "coordinator"])
    func redisAbsent(role: String) async throws {
        let redis = try RedisServer.started(options: ["--requirepass", "open-sesame"])
        defer { redis.kill() }
        redis.kill()
        let command = [
            "env", "EARSHOT_REDIS_URL=redis://:open-sesame@127.0.0.1:\(redis.port)", "EARSHOT_LISTEN=127.0.0.1:0",
            "EARSHOT_ANNOUNCE=true", "EARSHOT_DEV_AUTH=true", "\(FleetProcess.binaries)/earshot-\(role)",
        ]
        try await withProcess(command) { process, log in
            try await eventually("it says that it waits") { output(log).contains("waiting for Redis") }
            #expect(output(log).contains("127.0.0.1:\(redis.port)"))
            // A few attempts later it has not said so again: now and then is enough.
            let start = ContinuousClock.now
            try await eventually("some attempts") { start.duration(to: .now) > .seconds(3) }
            #expect(process.isRunning)
            #expect(count("waiting for Redis", in: log) == 1)
            #expect(count("Redis is away", in: log) <= 3)
            #expect(!output(log).contains("\"ready\":true"))
            try redis.start()
            try await eventually("it is ready") { output(log).contains("\"ready\":true") }
            process.send(SIGTERM)
            try await eventually("its end") { !process.isRunning }
            #expect(!output(log).contains("open-sesame"))
        }
    }

    @Test("A whole fleet waits for a Redis from outside, says so, starts with it, and stops while it waits")
    func externalRedisAbsent() async throws {
        let redis = try RedisServer.started(options: ["--requirepass", "open-sesame"])
        defer { redis.kill() }
        redis.kill()
        let directory = "/tmp/earshot-start-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let none = ["audio-bytes", "coordinator", "private-cloud", "speaker-sample", "transcript", "webhook"]
        let command = [
            "\(FleetProcess.binaries)/earshot", "up", "--data-dir", directory, "--listen", "127.0.0.1:0", "--admin",
            "127.0.0.1:0", "--json", "--workers", none.map { "\($0)=0" }.joined(separator: ","), "--redis-url",
            "redis://:open-sesame@127.0.0.1:\(redis.port)",
        ]
        try await withProcess(command) { process, log in
            try await eventually("it says that it waits") { output(log).contains("waiting for Redis") }
            process.send(SIGINT)
            try await eventually("its end") { !process.isRunning }
            #expect(!output(log).contains("\"ready\":true"))
        }
        try await withProcess(command) { process, log in
            try await eventually("it says that it waits") { output(log).contains("waiting for Redis") }
            #expect(output(log).contains("127.0.0.1:\(redis.port)"))
            try redis.start()
            try await eventually(within: .seconds(120), "it is ready") { output(log).contains("\"ready\":true") }
            #expect(!output(log).contains("open-sesame"))
            process.send(SIGINT)
            try await eventually("its end") { !process.isRunning }
        }
    }

    @Test("A process trusts a Redis with a certificate of a private authority once it is told of that, and not before")
    func privateAuthority() async throws {
        let certificate = try await TestCertificate()
        defer { certificate.remove() }
        let redis = try RedisServer.started(certificate: certificate)
        defer { redis.kill() }
        let command = [
            "env", "EARSHOT_REDIS_URL=rediss://127.0.0.1:\(redis.port)", "EARSHOT_LISTEN=127.0.0.1:0",
            "EARSHOT_ANNOUNCE=true", "EARSHOT_DEV_AUTH=true",
        ]
        let gateway = "\(FleetProcess.binaries)/earshot-gateway"
        try await withProcess(command + [gateway]) { _, log in
            try await eventually("it says why it waits") {
                output(log).contains("waiting for Redis") && output(log).localizedStandardContains("certificate")
            }
            #expect(!output(log).contains("\"ready\":true"))
        }
        for setting in ["EARSHOT_REDIS_CA_FILE=\(certificate.file)", "EARSHOT_REDIS_VERIFY_CERTIFICATE=false"] {
            try await withProcess(command + [setting, gateway]) { _, log in
                try await eventually("it is ready with \(setting)") { output(log).contains("\"ready\":true") }
                #expect(output(log).contains("is not checked") == setting.hasSuffix("=false"))
            }
        }
    }

    @Test("A transcript worker without its model files ends with the command that mends it")
    func modelMissing() async throws {
        let empty = "/tmp/earshot-no-speech-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: empty) }
        let ended = try await Tool.run([
            "env", "EARSHOT_SPEECH_DIR=\(empty)", "\(FleetProcess.binaries)/earshot-transcript",
        ])
        #expect(ended.status != 0)
        #expect(ended.text.contains("earshot setup"))
    }

    @Test(
        "One changed byte of a model file ends a process with the file's name and the command that mends it",
        arguments: ["transcript", "speaker-sample"])
    func modelDamaged(role: String) async throws {
        let copy = "/tmp/earshot-bad-speech-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let damaged = "moonshine_voice/assets/tiny-en/tokenizer.bin"
        let source = ProcessInfo.processInfo.environment["EARSHOT_SPEECH_DIR"] ?? Self.checkout + "/.cache/speech"
        let manager = FileManager.default
        for path in try #require(manager.enumerator(atPath: source)).compactMap({ $0 as? String }) {
            var isDirectory: ObjCBool = false
            _ = manager.fileExists(atPath: "\(source)/\(path)", isDirectory: &isDirectory)
            if isDirectory.boolValue {
                try manager.createDirectory(atPath: "\(copy)/\(path)", withIntermediateDirectories: true)
            } else if path != damaged {
                try manager.createSymbolicLink(
                    atPath: "\(copy)/\(path)", withDestinationPath: "\(source)/\(path)")
            }
        }
        var bytes = try #require(manager.contents(atPath: "\(source)/\(damaged)"))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(fileURLWithPath: "\(copy)/\(damaged)"))
        let ended = try await Tool.run([
            "env", "EARSHOT_SPEECH_DIR=\(copy)", "\(FleetProcess.binaries)/earshot-\(role)",
        ])
        #expect(ended.status != 0)
        #expect(ended.text.contains("\(copy)/\(damaged) is damaged"))
        #expect(ended.text.contains("earshot setup"))
    }

    private static let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    @Test("A setting that cannot be used ends a process with its name and what is allowed")
    func badSetting() async throws {
        let ended = try await Tool.run(
            ["env", "EARSHOT_PARTITIONS=many", "\(FleetProcess.binaries)/earshot-coordinator"])
        #expect(ended.status != 0)
        #expect(ended.text.contains("EARSHOT_PARTITIONS"))
    }
}
