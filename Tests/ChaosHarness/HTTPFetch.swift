import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import TestSupport

/// A GET of a small text over HTTP/1.1.
enum HTTPFetch {
    /// Fetches `http://host:port` + path.
    ///
    /// - Throws: `ChildProcess.Failure` for any other status than 200, or no answer within the limit.
    static func text(_ base: String, _ path: String, within limit: TimeAmount = .seconds(15)) async throws -> String {
        guard let url = URL(string: base), let host = url.host, let port = url.port else {
            throw ChildProcess.Failure("\(base) is no http://host:port")
        }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answer = loop.makePromise(of: String.self)
        let timer = loop.scheduleTask(in: limit) { answer.fail(ChildProcess.Failure("\(base)\(path): no answer")) }
        do {
            let channel = try await ClientBootstrap(group: loop)
                .connectTimeout(limit)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(Collector(answer))
                    }
                }
                .connect(host: host, port: port).get()
            let headers = HTTPHeaders([("Host", "\(host):\(port)"), ("Connection", "close")])
            let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
            channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
            answer.futureResult.whenComplete { _ in channel.close(promise: nil) }
        } catch {
            answer.fail(error)
        }
        defer { timer.cancel() }
        return try await answer.futureResult.get()
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart

        private let answer: EventLoopPromise<String>
        private var status = 0
        private var body = ByteBuffer()

        init(_ answer: EventLoopPromise<String>) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): status = Int(head.status.code)
            case .body(var part): body.writeBuffer(&part)
            case .end:
                if status == 200 {
                    answer.succeed(String(buffer: body))
                } else {
                    answer.fail(ChildProcess.Failure("HTTP \(status): \(String(buffer: body).prefix(200))"))
                }
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            answer.fail(ChildProcess.Failure("the connection ended before the answer"))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            answer.fail(error)
            context.close(promise: nil)
        }
    }
}
