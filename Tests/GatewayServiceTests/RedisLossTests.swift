import EarshotClient
import EarshotModel
import NIOCore
import Synchronization
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

    @Test("M13: while sockets are not read nobody is inactive, however long that takes")
    func inactivityIsNotCounted() async throws {
        let server = try RedisServer.started()
        var limits = Limits()
        limits.inactivityTimeout = .seconds(5)
        limits.appendReplyDelayMaximum = .milliseconds(200)
        try await GatewayHarness.with(limits: limits, redis: server.configuration) { harness in
            let connection = try await harness.connect()
            let inbox = Inbox(connection)
            _ = await inbox.skip(to: #""status":"ready""#)
            server.freeze()
            let frozen = ContinuousClock.now
            // Enough for the gateway to see that Redis is late; what it does not read afterwards waits in the sockets.
            try await eventually("twice the time-out") {
                try await connection.send(binary: [UInt8](repeating: 1, count: 640))
                return ContinuousClock.now - frozen > .seconds(11)
            }
            server.thaw()
            try await connection.send(binary: [UInt8](repeating: 2, count: 642))
            await connection.close(code: 1000)
            #expect(try await harness.untilEnded("alice") == .clientClosed)
            #expect(try await framesOnce(harness).last?.count == 642)
        }
    }

    @Test("A device that sends faster than the store takes it is not read meanwhile, and loses nothing")
    func flood() async throws {
        let server = try RedisServer.started()
        var limits = Limits()
        limits.sessionHeldBytesMaximum = 100_000
        // Else the whole loop would stop reading, for another reason.
        limits.appendReplyDelayMaximum = .seconds(60)
        try await GatewayHarness.with(limits: limits, redis: server.configuration) { harness in
            let connection = try await harness.connect()
            _ = await Inbox(connection).skip(to: #""status":"ready""#)
            server.freeze()
            let sent = Mutex(0)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { @Sendable in
                    // Far more than sockets hold.
                    for index in 0..<300 {
                        try await connection.send(binary: [UInt8](repeating: UInt8(index & 255), count: 64_000))
                        sent.withLock { $0 += 1 }
                    }
                }
                var seen = (count: 0, since: ContinuousClock.now)
                try await eventually("nothing more is taken for a second") {
                    let count = sent.withLock { $0 }
                    if count != seen.count { seen = (count, .now) }
                    return count > 2 && ContinuousClock.now - seen.since > .seconds(1)
                }
                #expect(sent.withLock { $0 } < 300)
                server.thaw()
                try await tasks.waitForAll()
            }
            await connection.close(code: 1000)
            #expect(try await harness.untilEnded("alice") == .clientClosed)
            #expect(try await harness.entries(of: "alice").flatMap(\.frames).count == 300)
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
