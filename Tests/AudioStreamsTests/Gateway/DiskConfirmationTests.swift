import EarshotModel
import NIOCore
import RedisClient
import TestSupport
import Testing

@testable import AudioStreams

@Suite("What is on the disk of a Redis that answers before it writes", .timeLimit(.minutes(2)))
struct DiskConfirmationTests {
    /// Asks as an event loop of a gateway does.
    private struct Asker {
        private let loop = RedisFleet.eventLoop
        private let confirmation: NIOLoopBound<DiskConfirmation>

        init(_ server: RedisServer) async throws {
            var limits = Limits()
            limits.diskConfirmationTimeout = .seconds(3)
            confirmation = try await loop.submit { [loop, limits] in
                NIOLoopBound(
                    DiskConfirmation(
                        configuration: server.configuration, keys: StreamKeys(prefix: RedisFleet.freshPrefix()),
                        limits: limits, eventLoop: loop, logger: RedisFleet.logger),
                    eventLoop: loop)
            }.get()
        }

        func ask(_ run: String) async throws -> DiskAnswer {
            try await loop.flatSubmit { [loop, confirmation] in
                let promise = loop.makePromise(of: DiskAnswer.self)
                confirmation.value.confirm(on: run) { promise.succeed($0) }
                return promise.futureResult
            }.get()
        }

        func close() async throws { try await loop.submit { [confirmation] in confirmation.value.close() }.get() }
    }

    private func run(of server: RedisServer) async throws -> RedisConnection {
        try await RedisConnection.connect(
            server.configuration, on: RedisFleet.eventLoop, logger: RedisFleet.logger
        ).get()
    }

    @Test("It is confirmed for the run that was asked for; not behind a write that was refused")
    func confirmed() async throws {
        let server = try RedisServer.startedValkey(options: ["--appendfsync", "everysec"])
        let connection = try await run(of: server)
        let asker = try await Asker(server)
        #expect(try await asker.ask(connection.serverRunID) == .onDisk)
        #expect(try await asker.ask("another run") == .notYet)
        #expect(try await asker.ask(connection.serverRunID) == .onDisk)
        // `WAITAOF` would say 1: of the write before.
        _ = try await connection.send(
            RedisPipeline([RedisCommand("CONFIG", "SET", "min-replicas-to-write", "1")])
        ).get()
        #expect(try await asker.ask(connection.serverRunID) == .notYet)
        try await asker.close()
        #expect(try await asker.ask(connection.serverRunID) == .notYet)
        connection.close()
        server.kill()
    }

    @Test("A Redis without WAITAOF refuses; one that is gone does not answer")
    func refused() async throws {
        let server = try RedisServer.started(options: ["--appendfsync", "everysec"])
        let connection = try await run(of: server)
        let asker = try await Asker(server)
        #expect(try await asker.ask(connection.serverRunID) == .refused)
        server.kill()
        #expect(try await asker.ask(connection.serverRunID) == .notYet)
        try await asker.close()
    }
}
