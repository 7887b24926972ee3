import NIOCore
import NIOPosix

/// A client that tells what it reads and how its connection ended.
struct TestClient {
    enum Event: Equatable, Sendable {
        case bytes(Int)
        case end
        case failed
    }

    private let channel: any Channel
    private let events: AsyncStream<Event>

    init(port: Int) async throws {
        let (events, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingOldest(10_000))
        self.events = events
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Reporter(continuation))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    func send(_ count: Int) async throws {
        try await channel.writeAndFlush(ByteBuffer(repeating: 7, count: count))
    }

    /// Sends as much as the system takes without waiting for it; returns whether it still takes more.
    func offer(_ count: Int) async throws -> Bool {
        channel.writeAndFlush(ByteBuffer(repeating: 7, count: count), promise: nil)
        return try await channel.eventLoop.submit { [channel] in channel.isWritable }.get()
    }

    func finish() async throws { try await channel.close(mode: .output) }

    func close() async throws { try await channel.close() }

    /// Reads until a number of bytes has come or the connection has ended.
    ///
    /// - Returns: the bytes, in how many pieces they came, and how it ended, if it did.
    func read(_ count: Int = .max) async -> (bytes: Int, pieces: Int, ending: Event?) {
        var bytes = 0
        var pieces = 0
        for await event in events {
            switch event {
            case .bytes(let more):
                bytes += more
                pieces += 1
                if bytes >= count { return (bytes, pieces, nil) }
            case .end, .failed: return (bytes, pieces, event)
            }
        }
        return (bytes, pieces, .end)
    }

    private final class Reporter: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let events: AsyncStream<Event>.Continuation

        init(_ events: AsyncStream<Event>.Continuation) { self.events = events }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            events.yield(.bytes(unwrapInboundIn(data).readableBytes))
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed? = event as? ChannelEvent { events.yield(.end) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            events.yield(.end)
            events.finish()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            events.yield(.failed)
            context.close(promise: nil)
        }
    }
}
