import AudioCodecs
import HTTPTransport
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A receiver of webhooks: a real HTTP server on loopback that answers as a test says.
final class Receiver: Sendable {
    /// One request as it came.
    struct Received: Sendable {
        let uri: String
        let headers: HTTPHeaders
        let body: [UInt8]
        let at: ContinuousClock.Instant

        var id: String { header("webhook-id") ?? "" }
        var sequence: Int { Int(header("earshot-sequence") ?? "") ?? -1 }
        /// The body as PCM16.
        var samples: [Int16] { (try? PCM.samples(littleEndian: body)) ?? [] }
        func header(_ name: String) -> String? { headers.first(name: name) }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// What it does with a request.
    enum Answer: Sendable {
        case status(Int, headers: [(String, String)] = [], body: String = "")
        /// Reads, and never answers.
        case hang
        /// Sends headers, then a byte now and then for ever.
        case drip
    }

    private struct State {
        var received: [Received] = []
        var answer: @Sendable (Received) -> Answer
    }

    private let state: Mutex<State>
    private let channel = Mutex<(any Channel)?>(nil)
    private let path: String

    private init(path: String, answer: @escaping @Sendable (Received) -> Answer) {
        self.path = path
        state = Mutex(State(answer: answer))
    }

    /// Runs a receiver while `body` runs.
    static func with<Result>(
        path: String = "/hook", _ answer: @escaping @Sendable (Received) -> Answer = { _ in .status(200) },
        _ body: (Receiver) async throws -> Result
    ) async throws -> Result {
        let receiver = Receiver(path: path, answer: answer)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(receiver: receiver))
                }
            }.bind(host: "127.0.0.1", port: 0).get()
        receiver.channel.withLock { $0 = channel }
        do {
            let result = try await body(receiver)
            try await channel.close()
            return result
        } catch {
            try? await channel.close()
            throw error
        }
    }

    var url: String {
        let port = channel.withLock { $0?.localAddress?.port } ?? 0
        return "http://127.0.0.1:\(port)\(path)"
    }

    var received: [Received] { state.withLock(\.received) }

    /// Answers differently from now on.
    func answer(_ answer: @escaping @Sendable (Received) -> Answer) { state.withLock { $0.answer = answer } }

    fileprivate func take(_ request: Received) -> Answer {
        let answer = state.withLock { state in
            state.received.append(request)
            return state.answer
        }
        return answer(request)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let receiver: Receiver
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(receiver: Receiver) { self.receiver = receiver }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let buffer): body += buffer.readableBytesView
            case .end:
                guard let head else { return }
                answer(
                    receiver.take(Received(uri: head.uri, headers: head.headers, body: body, at: .now)), context)
            }
        }

        private func answer(_ answer: Answer, _ context: ChannelHandlerContext) {
            switch answer {
            case .hang: return
            case .drip:
                let head = HTTPResponseHead(
                    version: .http1_1, status: .ok, headers: ["content-length": "1000000"])
                context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
                drip(NIOLoopBound(context, eventLoop: context.eventLoop))
            case .status(let status, let fields, let text):
                var headers = HTTPHeaders(fields)
                headers.replaceOrAdd(name: "content-length", value: String(text.utf8.count))
                let head = HTTPResponseHead(
                    version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: headers)
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.write(
                    wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }

        private func drip(_ bound: NIOLoopBound<ChannelHandlerContext>) {
            let context = bound.value
            guard context.channel.isActive else { return }
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: ".")))), promise: nil)
            let again = NIOLoopBound(self, eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .milliseconds(50)) { again.value.drip(bound) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
