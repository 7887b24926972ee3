import EarshotClient
import EarshotModel
import NIOCore
import TestSupport
import Testing

@Suite struct RedisLossTests {
    @Test("Redis killed and started again in the middle of a stream costs no frame")
    func killed() async throws {
        let server = try RedisServer.started()
        try await GatewayHarness.with(redis: server.configuration) { harness in
            let connection = try await harness.connect()
            let inbox = Inbox(connection)
            _ = await inbox.skip(to: #""status":"ready""#)
            let sender = Messages(count: 400)
            for index in 0..<150 { try await connection.send(binary: sender[index]) }
            server.kill()
            for index in 150..<300 { try await connection.send(binary: sender[index]) }
            try server.start()
            for index in 300..<400 { try await connection.send(binary: sender[index]) }
            await connection.close(code: 1000)
            #expect(try await harness.untilEnded("alice") == .clientClosed)
            #expect(try await framesOnce(harness) == (0..<400).map { sender[$0] })
        }
    }

    @Test("While Redis is away new sessions get 503")
    func away() async throws {
        let server = try RedisServer.started()
        try await GatewayHarness.with(redis: server.configuration) { harness in
            server.kill()
            let refusal = try await eventually("a refusal") { () -> UpgradeRefusal? in
                do {
                    try await harness.connect().abort()
                    return nil
                } catch let error as DeviceConnectionError {
                    return error.refusal
                }
            }
            #expect(refusal.status == 503)
            try server.start()
        }
    }

    /// Messages of known content.
    private struct Messages {
        let count: Int
        subscript(index: Int) -> [UInt8] { [UInt8](repeating: UInt8(index & 255), count: 640 + 2 * (index >> 8)) }
    }

    /// The frames as a reader has them: each number once, the first of its kind counts.
    private func framesOnce(_ harness: GatewayHarness) async throws -> [[UInt8]] {
        var next: UInt64 = 0
        var frames: [[UInt8]] = []
        for entry in try await harness.entries(of: "alice") where !entry.frames.isEmpty {
            #expect(entry.firstSequence <= next, "a gap before \(entry.firstSequence)")
            for (index, frame) in entry.frames.enumerated() where entry.firstSequence + UInt64(index) >= next {
                frames.append(Array(frame.readableBytesView))
                next += 1
            }
        }
        return frames
    }
}
