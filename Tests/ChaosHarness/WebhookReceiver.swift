import EarshotModel
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP server that accepts every webhook and remembers what came under which id.
final class WebhookReceiver: Sendable {
    /// What came under one id.
    struct Delivery: Sendable {
        var arrival: WebhookArrivals.Arrival?
        var count = 0
        var bodies: Set<Int> = []
    }

    /// What came of live audio under one id.
    struct Window: Sendable {
        var session = ""
        var sequence = 0
        var count = 0
        var bodies: Set<Int> = []
    }

    private let received = Mutex<[String: Delivery]>([:])
    private let heard = Mutex<[String: Window]>([:])
    private let listener = Mutex<(any Channel)?>(nil)

    var deliveries: [String: Delivery] { received.withLock(\.self) }
    var windows: [String: Window] { heard.withLock(\.self) }
    var port: Int { listener.withLock { $0?.localAddress?.port ?? 0 } }

    func start() async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(self))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        listener.withLock { $0 = channel }
    }

    func stop() async { try? await listener.withLock { $0.take() }?.close() }

    private func note(_ id: String, _ head: HTTPRequestHead, _ body: ByteBuffer) {
        if let session = head.headers.first(name: "earshot-session"), head.uri.hasPrefix("/audio") {
            return heard.withLock { heard in
                var window = heard[id] ?? Window()
                window.session = session
                window.sequence = head.headers.first(name: "earshot-sequence").flatMap { Int($0) } ?? -1
                window.count += 1
                window.bodies.insert(body.hashValue)
                heard[id] = window
            }
        }
        let object = try? JSONSerialization.jsonObject(with: Data(body.readableBytesView)) as? [String: Any]
        let arrival = Self.arrival(object ?? [:])
        received.withLock { received in
            received[id, default: Delivery()].count += 1
            received[id, default: Delivery()].arrival = arrival
            received[id, default: Delivery()].bodies.insert(body.hashValue)
        }
    }

    /// What a body is about.
    private static func arrival(_ body: [String: Any]) -> WebhookArrivals.Arrival? {
        guard let type = (body["type"] as? String).flatMap(SessionEvent.Kind.init(rawValue:)),
            let data = body["data"] as? [String: Any]
        else { return nil }
        guard type == .conversationCompleted else {
            return (data["session_id"] as? String).map { .init(type, session: $0) }
        }
        guard let user = data["uid"] as? String, let conversation = data["conversation_id"] as? String else {
            return nil
        }
        return .init(type, conversation: conversation, of: user)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let owner: WebhookReceiver
        private var head: HTTPRequestHead?
        private var body = ByteBuffer()

        init(_ owner: WebhookReceiver) { self.owner = owner }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body.clear()
            case .body(var part): body.writeBuffer(&part)
            case .end:
                if let head, let id = head.headers.first(name: "webhook-id") { owner.note(id, head, body) }
                let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "0"])
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
