import Foundation
import TestSupport
import Testing

/// Processes started alone, in bad times.
@Suite struct StartTests {
    private func output(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    @Test("A gateway started without Redis waits, says so, and takes sessions once Redis is there")
    func redisAbsent() async throws {
        let redis = try RedisServer.started()
        redis.kill()
        let log = "/tmp/earshot-start-\(UUID().uuidString).log"
        defer { try? FileManager.default.removeItem(atPath: log) }
        let gateway = try ChildProcess(
            [
                "env", "EARSHOT_REDIS_URL=\(redis.url)", "EARSHOT_LISTEN=127.0.0.1:0", "EARSHOT_ANNOUNCE=true",
                "EARSHOT_DEV_AUTH=true", "\(FleetProcess.binaries)/earshot-gateway",
            ], output: log)
        try await eventually("the gateway says that it waits") { output(log).contains("waiting for Redis") }
        #expect(gateway.isRunning)
        #expect(!output(log).contains("\"ready\":true"))
        try redis.start()
        try await eventually("the gateway is ready") { output(log).contains("\"ready\":true") }
        gateway.send(SIGTERM)
        try await eventually("the gateway's end") { !gateway.isRunning }
        redis.kill()
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

    @Test("A setting that cannot be used ends a process with its name and what is allowed")
    func badSetting() async throws {
        let ended = try await Tool.run(
            ["env", "EARSHOT_PARTITIONS=many", "\(FleetProcess.binaries)/earshot-coordinator"])
        #expect(ended.status != 0)
        #expect(ended.text.contains("EARSHOT_PARTITIONS"))
    }
}
