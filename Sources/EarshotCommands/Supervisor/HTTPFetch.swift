import NIOCore
import NIOHTTP1
import NIOPosix

/// Fetches a small text over plain HTTP: what a supervisor asks of its children's admin servers.
enum HTTPFetch {
    /// The largest answer taken: some thousand series.
    static let bodyBytesMaximum = 4 << 20
    /// The whole exchange; a child on this machine that is slower has other troubles.
    static let timeout = TimeAmount.seconds(2)

    /// Gets a text.
    ///
    /// - Parameters:
    ///   - base: `http://HOST:PORT`.
    ///   - path: Begins with a slash.
    ///   - group: The exchange runs on one of its event loops.
    /// - Returns: The body of the answer.
    /// - Throws: `CommandError` when there is no answer in time, it is too large, or its status is not 200.
    static func text(base: String, path: String, on group: any EventLoopGroup) async throws -> String {
        guard base.hasPrefix("http://"), let colon = base.lastIndex(of: ":"),
            let port = Int(base[base.index(after: colon)...].prefix { $0 != "/" }), (1...65_535).contains(port)
        else { throw CommandError("\(base) is not an address; expected http://HOST:PORT") }
        var host = base[base.index(base.startIndex, offsetBy: 7)..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        let eventLoop = group.next()
        let answer = eventLoop.makePromise(of: String.self)
        let authority = String(base.dropFirst(7))
        let bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(timeout).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                try channel.pipeline.syncOperations.addHandler(
                    HTTPFetchHandler(authority: authority, path: path, answer: answer))
            }
        }
        do {
            let channel = try await bootstrap.connect(host: String(host), port: port).get()
            let timer = eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
            defer { timer.cancel() }
            return try await answer.futureResult.get()
        } catch {
            answer.fail(error)
            throw error
        }
    }
}

/// Sends one request and collects its answer.
private final class HTTPFetchHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let authority: String
    private let path: String
    private let answer: EventLoopPromise<String>
    private var status = HTTPResponseStatus.ok
    private var body = ""

    init(authority: String, path: String, answer: EventLoopPromise<String>) {
        self.authority = authority
        self.path = path
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: path, headers: ["Host": authority, "Connection": "close"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = head.status
        case .body(let buffer):
            body += String(buffer: buffer)
            if body.utf8.count > HTTPFetch.bodyBytesMaximum {
                fail(context, "the answer is larger than \(HTTPFetch.bodyBytesMaximum) bytes")
            }
        case .end:
            guard status == .ok else { return fail(context, "the answer is \(status)") }
            answer.succeed(body)
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(context, "\(error)")
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(CommandError("\(authority)\(path): no answer in time"))
    }

    private func fail(_ context: ChannelHandlerContext, _ reason: String) {
        answer.fail(CommandError("\(authority)\(path): \(reason)"))
        context.close(promise: nil)
    }
}
