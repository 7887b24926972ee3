import AccessTokens
import AudioStreams
import EarshotModel
import GatewayService
import RedisClient
import ServiceLifecycle
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct ReadinessTests {
    /// What a gateway reports, whose audio path goes to a Redis of its own.
    private func reports(
        audioPort: Int?, _ body: @Sendable (AsyncStream<(isReady: Bool, reason: String)>) async throws -> Void
    ) async throws {
        try await RedisFleet.with { fleet in
            var redis = fleet.configuration
            redis.port = audioPort ?? redis.port
            let tokens = try await AccessTokenVerifier(
                configuration: AccessTokenConfiguration(developmentMode: true), logger: RedisFleet.logger)
            let (reports, continuation) = AsyncStream.makeStream(
                of: (isReady: Bool, reason: String).self, bufferingPolicy: .bufferingNewest(1_000))
            let server = GatewayServer(
                GatewayConfiguration(
                    host: "127.0.0.1", port: 0, incarnation: Incarnation(startingAs: "gateway-0"), partitions: 16,
                    eventLoops: 2, allowedOrigins: ["*"], languages: ["en"], tokens: tokens),
                redis: redis, keys: fleet.keys, handOff: fleet.handOff, logger: RedisFleet.logger,
                onReady: { continuation.yield((isReady: $0, reason: $1)) })
            let group = ServiceGroup(services: [server], logger: RedisFleet.logger)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await body(reports)
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    @Test("A gateway whose loops cannot reach Redis is not ready, although its heartbeat can")
    func loopsWithoutRedis() async throws {
        // Nobody listens on the first port.
        try await reports(audioPort: 1) { reports in
            var count = 0
            for await report in reports {
                #expect(!report.isReady)
                #expect(report.reason.contains("event loop"))
                count += 1
                if count == 4 { break }
            }
        }
    }

    @Test("Once every loop has reached Redis the gateway is ready")
    func ready() async throws {
        try await reports(audioPort: nil) { reports in
            for await report in reports where report.isReady { break }
        }
    }
}
