import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Answers every request that did not become a WebSocket, and closes.
final class RefusalHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let handshake: UpgradeHandshake
    private let metrics: GatewayMetrics
    private var path: String?

    init(handshake: UpgradeHandshake, metrics: GatewayMetrics) {
        self.handshake = handshake
        self.metrics = metrics
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): path = String(head.uri.prefix { $0 != "?" })
        case .body: break
        case .end: answer(context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A refused upgrade comes here first and then as a request, which is answered.
        guard !(error is NIOWebSocketUpgradeError) else { return }
        handshake.disarm()
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        handshake.disarm()
        context.fireChannelInactive()
    }

    private func answer(_ context: ChannelHandlerContext) {
        let isDoor = path.flatMap(ListenPath.init(rawValue:)) != nil
        let refusal =
            handshake.refusal
            ?? (isDoor
                ? UpgradeRefusal(
                    status: .upgradeRequired, reason: "no_upgrade",
                    message: "this path speaks WebSocket (RFC 6455, version 13)")
                : .notFound())
        metrics.refused(refusal.reason)
        var headers = HTTPHeaders()
        let body = ByteBuffer(string: refusal.message + "\n")
        headers.add(name: "content-type", value: "text/plain; charset=utf-8")
        headers.add(name: "content-length", value: String(body.readableBytes))
        headers.add(name: "connection", value: "close")
        if let retryAfter = refusal.retryAfter { headers.add(name: "retry-after", value: String(retryAfter)) }
        if refusal.status == .unauthorized { headers.add(name: "www-authenticate", value: "Bearer") }
        if refusal.status == .methodNotAllowed { headers.add(name: "allow", value: "GET") }
        if refusal.status == .upgradeRequired {
            headers.add(name: "upgrade", value: "websocket")
            headers.add(name: "sec-websocket-version", value: "13")
        }
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: refusal.status, headers: headers))),
            promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }
}
