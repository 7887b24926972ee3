import NIOCore
import NIOEmbedded
import NIOWebSocket
import Synchronization
import Testing

@testable import EarshotClient

/// The handler's promises about back-pressure, on a channel whose socket the test plays.
@Suite("Device connection handler", .timeLimit(.minutes(2)))
struct DeviceConnectionHandlerTests {
    /// Stands where the socket is and counts the reads that reach it.
    private final class ReadCounter: ChannelOutboundHandler, Sendable {
        typealias OutboundIn = Never
        let count = Mutex(0)

        func read(context: ChannelHandlerContext) {
            count.withLock { $0 += 1 }
            context.read()
        }
    }

    private func connect(
        _ counter: ReadCounter = ReadCounter()
    ) async throws -> (NIOAsyncTestingChannel, DeviceConnection) {
        let channel = await NIOAsyncTestingChannel(handler: counter)
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        let upgraded = try await channel.testingEventLoop.executeInContext { try UpgradedChannel(channel) }
        return (channel, DeviceConnection(upgraded))
    }

    private func text(_ string: String) -> WebSocketFrame {
        WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: string))
    }

    private func setWritable(_ isWritable: Bool, _ channel: NIOAsyncTestingChannel) async throws {
        try await channel.testingEventLoop.executeInContext {
            channel.isWritable = isWritable
            channel.pipeline.fireChannelWritabilityChanged()
        }
    }

    @Test("A send waits while the socket takes no more, and the order is kept")
    func sendWaits() async throws {
        let (channel, connection) = try await connect()
        let loop = channel.testingEventLoop
        try await setWritable(false, channel)
        let first = Mutex(false)
        let sends = try await loop.executeInContext {
            let handler = try channel.pipeline.syncOperations.handler(type: DeviceConnectionHandler.self)
            #expect(!handler.sendNow(.text, ByteBuffer(string: "not at once")))
            let sends = ["1", "2"].map { handler.send(.text, ByteBuffer(string: $0), on: loop) }
            sends[0].whenSuccess { first.withLock { $0 = true } }
            return sends
        }
        await loop.run()
        #expect(try await channel.readOutbound(as: WebSocketFrame.self) == nil)
        #expect(first.withLock { !$0 })
        try await setWritable(true, channel)
        for (index, send) in sends.enumerated() {
            try await send.get()
            let frame = try await channel.readOutbound(as: WebSocketFrame.self)
            #expect(frame.map { String(buffer: $0.data) } == "\(index + 1)")
            #expect(frame?.maskKey != nil)
        }
        #expect(first.withLock { $0 })
        withExtendedLifetime(connection) {}
        _ = try await channel.finish(acceptAlreadyClosed: true)
    }

    @Test("A send that waits fails when the connection ends, and so does a later one")
    func sendFails() async throws {
        let (channel, connection) = try await connect()
        try await setWritable(false, channel)
        let waiting = try await channel.testingEventLoop.executeInContext {
            try channel.pipeline.syncOperations.handler(type: DeviceConnectionHandler.self)
                .send(.text, ByteBuffer(string: "1"), on: channel.testingEventLoop)
        }
        _ = try await channel.finish(acceptAlreadyClosed: true)
        await #expect(throws: DeviceConnectionError.self) { try await waiting.get() }
        await #expect(throws: DeviceConnectionError.self) { try await connection.send(text: "2") }
    }

    @Test("The socket is no longer read when the reader has enough, and read again when it has room")
    func readingStops() async throws {
        let counter = ReadCounter()
        let (channel, connection) = try await connect(counter)
        let bound = DeviceClientLimits.unreadMessagesMax
        for index in 0..<bound - 1 { try await channel.writeInbound(text("\(index)")) }
        try await channel.testingEventLoop.executeInContext { channel.read() }
        #expect(counter.count.withLock { $0 } == 1)
        try await channel.writeInbound(text("\(bound - 1)"))
        try await channel.testingEventLoop.executeInContext { channel.read() }
        #expect(counter.count.withLock { $0 } == 1)

        var iterator = connection.messages.makeAsyncIterator()
        for index in 0..<bound { #expect(await iterator.next() == .text("\(index)")) }
        await channel.testingEventLoop.run()
        #expect(counter.count.withLock { $0 } == 2)
        _ = try await channel.finish(acceptAlreadyClosed: true)
    }

    @Test("A reader that leaves does not stop the socket from being read")
    func readerLeaves() async throws {
        let counter = ReadCounter()
        let (channel, connection) = try await connect(counter)
        for index in 0..<DeviceClientLimits.unreadMessagesMax { try await channel.writeInbound(text("\(index)")) }
        try await channel.testingEventLoop.executeInContext { channel.read() }
        #expect(counter.count.withLock { $0 } == 0)
        for await _ in connection.messages { break }
        await channel.testingEventLoop.run()
        #expect(counter.count.withLock { $0 } == 1)
        _ = try await channel.finish(acceptAlreadyClosed: true)
    }

    @Test("Of many pings that cannot be answered only the latest is, later")
    func pongs() async throws {
        let (channel, connection) = try await connect()
        try await setWritable(false, channel)
        for index in 0..<1_000 {
            let ping = WebSocketFrame(fin: true, opcode: .ping, data: ByteBuffer(string: "\(index)"))
            try await channel.writeInbound(ping)
        }
        #expect(try await channel.readOutbound(as: WebSocketFrame.self) == nil)
        try await setWritable(true, channel)
        let pong = try #require(try await channel.readOutbound(as: WebSocketFrame.self))
        #expect(pong.opcode == .pong)
        #expect(String(buffer: pong.data) == "999")
        #expect(try await channel.readOutbound(as: WebSocketFrame.self) == nil)
        withExtendedLifetime(connection) {}
        _ = try await channel.finish(acceptAlreadyClosed: true)
    }

    @Test("A close reason is shortened to whole characters within 123 bytes")
    func closeReason() async throws {
        let (channel, connection) = try await connect()
        async let closing: Void = connection.close(code: 1008, reason: String(repeating: "ä", count: 100))
        let frame = try await channel.waitForOutboundWrite(as: WebSocketFrame.self)
        #expect(frame.opcode == .connectionClose)
        #expect(frame.data.readableBytes == 2 + 122)
        // Nobody answers: the time limit ends the connection.
        await channel.testingEventLoop.advanceTime(by: DeviceClientLimits.closeTimeout)
        await closing
        _ = try await channel.finish(acceptAlreadyClosed: true)
    }
}
