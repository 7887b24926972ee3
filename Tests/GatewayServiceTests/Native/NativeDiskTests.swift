import EarshotClient
import EarshotModel
import RedisClient
import TestSupport
import Testing

@Suite("Where Redis answers before it writes to disk, WAITAOF makes an acknowledgement fsynced")
struct NativeDiskTests {
    @Test("While the disk is not reached nothing is acknowledged, nor does a resume say that it is there")
    func standstill() async throws {
        let server = try RedisServer.startedValkey(options: ["--appendfsync", "everysec"])
        var limits = Limits()
        limits.diskConfirmationTimeout = .seconds(1)
        try await GatewayHarness.with(limits: limits, redis: server.configuration) { harness in
            let connection = try await harness.native()
            let inbox = NativeInbox(connection)
            let opened = try #require(NativeOpened(await inbox.next()))
            try await send(5, on: connection)
            #expect(await inbox.skip(to: #""next":5,"durability":"fsynced""#) != nil)

            try await setFsync("no", harness)
            try await send(5, on: connection)
            try await eventually("the audio in Redis") { try await harness.frames(of: "alice").count == 10 }
            for _ in 0..<3 {
                #expect(await inbox.skip(to: #""type":"ack""#)?.contains(#""next":5,"durability":"fsynced""#) == true)
            }
            let early = NativeInbox(try await harness.native("resume=\(opened.session)&from=5"))
            let said = await early.rest()
            #expect(said.last?.contains(#""type":"closing""#) == true)
            #expect(!said.contains { $0.contains(#""type":"session""#) || $0.contains(#""next":10"#) })
            #expect(await early.closeCode() == 1013)

            try await setFsync("everysec", harness)
            let resumed = try await eventually("the disk is reached") {
                let later = try await harness.native("resume=\(opened.session)&from=5")
                defer { later.abort() }
                return NativeOpened(await NativeInbox(later).next())
            }
            #expect(resumed.isResumed && resumed.next == 10)
        }
        server.kill()
    }

    @Test("A server without WAITAOF that answers before it writes is named: redis")
    func unsupported() async throws {
        let server = try RedisServer.started(options: ["--appendfsync", "everysec"])
        try await GatewayHarness.with(redis: server.configuration) { harness in
            let connection = try await harness.native()
            let inbox = NativeInbox(connection)
            _ = await inbox.skip(to: "ready")
            try await send(5, on: connection)
            #expect(await inbox.skip(to: #""next":5"#)?.contains(#""durability":"redis""#) == true)
            connection.abort()
        }
        server.kill()
    }

    private func send(_ count: Int, on connection: DeviceConnection) async throws {
        for _ in 0..<count { try await connection.send(binary: [UInt8](repeating: 9, count: 640)) }
    }

    private func setFsync(_ policy: String, _ harness: GatewayHarness) async throws {
        _ = try await harness.fleet.client.execute(
            RedisCommand("CONFIG", "SET", "appendfsync", .init(policy)))
    }
}
