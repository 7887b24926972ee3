import AudioStreams
import EarshotClient
import EarshotModel
import NIOCore
import NIOPosix
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct NativeUploadTests {
    /// Frames whose content tells their number, of many sizes, some empty.
    private struct Numbers: UploadSource {
        let count: Int
        let pause: Duration

        subscript(number: Int) -> [UInt8] {
            var generator = SeededGenerator(seed: UInt64(number))
            return (0..<Int.random(in: 0...600, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
        }

        @concurrent
        func deliver(to take: @Sendable (UploadFrame) async throws -> Void) async throws {
            for number in 0..<count {
                try await ContinuousClock().sleep(for: pause)
                try await take(UploadFrame(payload: ByteBuffer(bytes: self[number]), duration: .milliseconds(20)))
            }
        }
    }

    @Test("Connections cut at random many times: the stream holds, over the chain, byte for byte what was sent")
    func cut() async throws {
        let server = try RedisServer.started()
        let source = Numbers(count: 1_500, pause: .milliseconds(5))
        try await GatewayHarness.with(redis: server.configuration) { harness in
            let proxy = try await FaultProxy.started(to: harness.port)
            var configuration = UploadConfiguration(url: harness.nativeURL(port: proxy.port))
            configuration.token = { "dev:alice" }
            let upload = DeviceUpload(configuration, source: source)
            let report = try await withThrowingTaskGroup(of: UploadReport?.self) { tasks in
                tasks.addTask { try await upload.run(on: MultiThreadedEventLoopGroup.singleton) }
                tasks.addTask {
                    var generator = SeededGenerator(seed: 7)
                    var cuts = 0
                    while !Task.isCancelled {
                        try? await ContinuousClock().sleep(
                            for: .milliseconds(Int.random(in: 20...700, using: &generator)))
                        cuts += 1
                        proxy.cut()
                    }
                    #expect(cuts >= 10)
                    return nil
                }
                let report = try await tasks.next()?.flatMap(\.self)
                tasks.cancelAll()
                return try #require(report)
            }
            await proxy.stop()
            #expect(report.outcome == .completed)
            #expect(report.durability == .fsynced)
            #expect(report.acknowledgedCount == 1_500 && report.messageCount == 1_500)
            #expect(report.reconnectCount >= 5)
            let frames = try await harness.frames(of: "alice")
            let isSame = frames == (0..<1_500).map { source[$0] }
            #expect(isSame)
            try await harness.untilNobodyIsLive("alice")
        }
    }

    @Test("Redis killed and started again under an upload loses nothing that was acknowledged")
    func storeKilled() async throws {
        let server = try RedisServer.started()
        let source = Numbers(count: 600, pause: .milliseconds(10))
        try await GatewayHarness.with(redis: server.configuration) { harness in
            var configuration = UploadConfiguration(url: harness.nativeURL())
            configuration.token = { "dev:alice" }
            let upload = DeviceUpload(configuration, source: source)
            async let running = upload.run(on: MultiThreadedEventLoopGroup.singleton)
            try await eventually("some audio") { try await harness.frames(of: "alice").count > 50 }
            server.kill()
            try server.start()
            let report = try await running
            #expect(report.outcome == .completed && report.acknowledgedCount == 600)
            let isSame = try await harness.frames(of: "alice") == (0..<600).map { source[$0] }
            #expect(isSame)
        }
    }
}

extension GatewayHarness {
    /// Waits until no session of the user's partition is without an end.
    func untilNobodyIsLive(_ user: String) async throws {
        try await eventually("the end of every session") {
            try await fleet.handOff.liveSessions(in: [partition(of: user)]).isEmpty
        }
    }
}
