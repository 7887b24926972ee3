import NIOCore
import NIOPosix
import NIOWebSocket

/// A device that writes its frames itself, as no library would let it.
final class RawDevice: Sendable {
    private let channel: any Channel
    private let received: AsyncStream<ByteBuffer>

    private init(_ channel: any Channel, _ received: AsyncStream<ByteBuffer>) {
        self.channel = channel
        self.received = received
    }

    /// Connects and asks for the upgrade; frames may be sent at once.
    static func connect(_ harness: GatewayHarness, user: String = "alice") async throws -> RawDevice {
        let device = try await open(harness, sending: request(user: user))
        // Frames belong behind the 101.
        for await bytes in device.received where String(buffer: bytes).contains("101 Switching") { break }
        return device
    }

    /// The lines of a request for an upgrade.
    static func request(
        user: String = "alice", method: String = "GET", version: String = "HTTP/1.1",
        key: String = "AAAAAAAAAAAAAAAAAAAAAA=="
    ) -> [String] {
        [
            "\(method) /v4/listen?codec=pcm16&sample_rate=16000 \(version)", "Host: localhost",
            "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: \(key)",
            "Authorization: Bearer dev:\(user)",
        ]
    }

    /// The beginning of the answer to a request.
    static func answer(_ harness: GatewayHarness, to request: [String]) async throws -> String {
        let device = try await open(harness, sending: request)
        defer { device.channel.close(promise: nil) }
        for await bytes in device.received { return String(buffer: bytes) }
        return ""
    }

    /// Connects and sends the beginning of a request.
    static func beginning(_ harness: GatewayHarness, with text: String) async throws -> RawDevice {
        let device = try await open(harness)
        device.channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        return device
    }

    private static func open(_ harness: GatewayHarness, sending request: [String]) async throws -> RawDevice {
        try await beginning(harness, with: (request + ["", ""]).joined(separator: "\r\n"))
    }

    private static func open(_ harness: GatewayHarness) async throws -> RawDevice {
        let (received, continuation) = AsyncStream.makeStream(
            of: ByteBuffer.self, bufferingPolicy: .bufferingNewest(10_000))
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Receiver(continuation))
                }
            }
            .connect(host: "127.0.0.1", port: harness.port).get()
        return RawDevice(channel, received)
    }

    /// Writes one masked frame.
    func send(_ opcode: WebSocketOpcode, _ payload: [UInt8], isLast: Bool = true) {
        let mask: [UInt8] = [0x12, 0x34, 0x56, 0x78]
        var frame = ByteBuffer()
        frame.writeInteger(UInt8(webSocketOpcode: opcode) | (isLast ? 0x80 : 0))
        switch payload.count {
        case 0..<126: frame.writeInteger(UInt8(payload.count) | 0x80)
        case 126..<65_536:
            frame.writeInteger(UInt8(126) | 0x80)
            frame.writeInteger(UInt16(payload.count))
        default:
            frame.writeInteger(UInt8(127) | 0x80)
            frame.writeInteger(UInt64(payload.count))
        }
        frame.writeBytes(mask)
        frame.writeBytes(payload.indices.map { payload[$0] ^ mask[$0 & 3] })
        channel.writeAndFlush(frame, promise: nil)
    }

    /// Closes the connection behind what was sent, and waits for no answer.
    func leave() { channel.close(promise: nil) }

    /// Everything received until the server ends the connection.
    func untilClosed() async -> [UInt8] {
        var bytes: [UInt8] = []
        for await buffer in received { bytes += buffer.readableBytesView }
        return bytes
    }

    private final class Receiver: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let continuation: AsyncStream<ByteBuffer>.Continuation

        init(_ continuation: AsyncStream<ByteBuffer>.Continuation) { self.continuation = continuation }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { continuation.yield(unwrapInboundIn(data)) }

        func channelInactive(context: ChannelHandlerContext) { continuation.finish() }
    }
}
