import NIOCore
import NIOHTTP1

/// Gathers the HTTP answer of a server that refused the upgrade and fails the connecting with it.
final class RefusedUpgradeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let outcome: EventLoopPromise<UpgradedChannel>
    private var head: HTTPResponseHead?
    private var body = ByteBuffer()

    init(outcome: EventLoopPromise<UpgradedChannel>) {
        self.outcome = outcome
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body(var part):
            let room = DeviceClientLimits.refusalBodyBytesMax - body.readableBytes
            if let kept = part.readSlice(length: min(room, part.readableBytes)) { body.writeImmutableBuffer(kept) }
            if body.readableBytes == DeviceClientLimits.refusalBodyBytesMax { refuse() }
        case .end: refuse()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        refuse()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An answer cut off in its body is still the answer.
        refuse()
    }

    private func refuse() {
        guard let head else { return }
        let refusal = UpgradeRefusal(
            status: Int(head.status.code),
            headers: head.headers.map { (name: $0.name, value: $0.value) },
            body: String(buffer: body))
        outcome.fail(
            DeviceConnectionError(
                .refused, "the server refused the connection: \(refusal.status) \(head.status.reasonPhrase)",
                refusal: refusal))
    }
}
