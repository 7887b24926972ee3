import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A real HTTP/1.1 server on a free port of loopback, whose answers a test writes byte by byte if it likes.
package final class HTTPServer: Sendable {
    /// A whole request.
    package struct Request: Sendable {
        package var method: String
        /// Path and query, as they came.
        package var uri: String
        package var headers: [(name: String, value: String)]
        package var body: [UInt8]
        /// Which connection it came on, from 1.
        package var connection: Int

        /// The first header of a name, compared without regard to case.
        package func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    package typealias Handler = @Sendable (Request, HTTPServerReply) -> Void

    /// The port it listens on.
    package let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel
    private let record: Record

    fileprivate struct State {
        var requests: [Request] = []
        var connections = 0
    }

    fileprivate final class Record: Sendable {
        let state = Mutex(State())
    }

    /// Starts a server; the handler is called on an event loop, once a request.
    package init(_ handler: @escaping Handler) async throws {
        let record = Record()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        self.record = record
        self.group = group
        channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let number = record.state.withLock { state in
                        state.connections += 1
                        return state.connections
                    }
                    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
                    try channel.pipeline.syncOperations.addHandler(
                        RequestHandler(number: number, record: record, handler: handler))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    /// Its address without a path.
    package var url: String { "http://127.0.0.1:\(port)" }
    /// All requests so far.
    package var requests: [Request] { record.state.withLock(\.requests) }
    /// How many connections were accepted so far.
    package var connectionCount: Int { record.state.withLock(\.connections) }

    /// Closes everything.
    package func stop() async {
        try? await channel.close()
        try? await group.shutdownGracefully()
    }

    /// Runs a body against a server and stops it.
    package static func run<Result>(
        _ handler: @escaping Handler, _ body: (HTTPServer) async throws -> Result
    ) async throws -> Result {
        let server = try await HTTPServer(handler)
        do {
            let result = try await body(server)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }

    private final class RequestHandler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart

        private let number: Int
        private let record: Record
        private let handler: Handler
        private var request: Request?

        init(number: Int, record: Record, handler: @escaping Handler) {
            self.number = number
            self.record = record
            self.handler = handler
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                request = Request(
                    method: head.method.rawValue, uri: head.uri, headers: head.headers.map { ($0.name, $0.value) },
                    body: [], connection: number)
            case .body(let bytes): request?.body.append(contentsOf: bytes.readableBytesView)
            case .end:
                guard let request else { return }
                record.state.withLock { $0.requests.append(request) }
                handler(request, HTTPServerReply(channel: context.channel))
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
