import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Synchronization

/// What a test server does with the requests and the frames it gets.
struct TestScript: Sendable {
    enum Answer: Sendable {
        case upgrade
        case refuse(HTTPResponseStatus, headers: [(String, String)], body: String)
        /// Bytes in place of an HTTP answer.
        case raw(String)
        /// Bytes in place of an HTTP answer, and the end of the connection.
        case rawThenHangUp(String)
        /// No answer at all.
        case silence
        /// The connection ends without an answer.
        case hangUp
    }

    var answer: @Sendable (HTTPRequestHead) -> Answer = { _ in .upgrade }
    /// Called on the event loop when a connection is upgraded.
    var onOpen: @Sendable (TestPeer) -> Void = { _ in }
    /// Called on the event loop for every frame, before a close frame is answered.
    var onFrame: @Sendable (TestPeer, WebSocketFrame) -> Void = { _, _ in }
    /// Called once when a connection is gone, with the error that ended it.
    var onEnd: @Sendable (String?) -> Void = { _ in }
    var answersClose = true
    /// What the kernel holds of what the server does not read; small, so that little data is enough to fill it.
    var receiveBufferBytes: Int?
}

/// A real WebSocket server on a free port of the loopback interface.
///
/// It has event loops of its own, for its test's client too: what one test keeps busy does not hold up another.
final class TestServer: Sendable {
    let port: Int
    let group: MultiThreadedEventLoopGroup
    private let channel: any Channel
    private let accepted: Recorder<any Channel>

    var url: String { "ws://127.0.0.1:\(port)/v4/listen" }

    /// Runs a body against a server and stops it.
    static func run<Result>(
        _ script: TestScript, _ body: (TestServer) async throws -> Result
    ) async throws -> Result {
        let server = try await TestServer(script)
        do {
            let result = try await body(server)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }

    private init(_ script: TestScript) async throws {
        let accepted = Recorder<any Channel>()
        self.accepted = accepted
        group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        var bootstrap = ServerBootstrap(group: group)
        if let bytes = script.receiveBufferBytes {
            // Set before connections are accepted: they inherit it.
            bootstrap = bootstrap.serverChannelOption(.socketOption(.so_rcvbuf), value: .init(bytes))
        }
        channel =
            try await bootstrap
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                accepted.record(channel)
                return channel.eventLoop.makeCompletedFuture { try Self.prepare(channel, script) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    private func stop() async {
        try? await channel.close()
        for child in accepted.elements { try? await child.close() }
        try? await group.shutdownGracefully()
    }

    private static func prepare(_ channel: any Channel, _ script: TestScript) throws {
        let requests = TestRequestHandler(script)
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: 1 << 24, automaticErrorHandling: false,
            shouldUpgrade: { channel, head in
                guard case .upgrade = script.answer(head) else {
                    return channel.eventLoop.makeSucceededFuture(nil)
                }
                return channel.eventLoop.makeSucceededFuture([:])
            },
            upgradePipelineHandler: { channel, head in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TestPeerHandler(script, head: head))
                }
            })
        let bound = NIOLoopBound(requests, eventLoop: channel.eventLoop)
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withServerUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
                }
            ))
        try channel.pipeline.syncOperations.addHandler(requests)
    }
}

/// Answers requests that are not upgraded.
private final class TestRequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let script: TestScript

    init(_ script: TestScript) { self.script = script }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        switch script.answer(head) {
        case .upgrade, .silence: break
        case .hangUp: context.close(promise: nil)
        case .raw(let text): write(text, on: context.channel)
        case .rawThenHangUp(let text):
            let channel = context.channel
            write(text, on: channel).whenComplete { _ in channel.close(promise: nil) }
        case .refuse(let status, let headers, let body):
            var fields = HTTPHeaders(headers)
            fields.add(name: "Content-Length", value: "\(body.utf8.count)")
            let head = HTTPResponseHead(version: .http1_1, status: status, headers: fields)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    /// Writes past the encoder, which would refuse it.
    @discardableResult
    private func write(_ text: String, on channel: any Channel) -> EventLoopFuture<Void> {
        channel.pipeline.context(handlerType: HTTPResponseEncoder.self).flatMap { encoder in
            encoder.writeAndFlush(NIOAny(ByteBuffer(string: text)))
        }
    }
}
