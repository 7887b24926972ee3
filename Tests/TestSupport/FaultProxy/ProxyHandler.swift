import NIOCore

/// Tells a link what happens on one of its channels.
final class ProxyHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let link: ProxyLink
    private let side: ProxyLink.Side

    init(_ link: ProxyLink, _ side: ProxyLink.Side) {
        self.link = link
        self.side = side
    }

    func channelActive(context: ChannelHandlerContext) { link.pump() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { link.received(unwrapInboundIn(data), from: side) }

    func channelReadComplete(context: ChannelHandlerContext) { link.hasRead(side) }

    func channelWritabilityChanged(context: ChannelHandlerContext) { link.pump() }

    func channelInactive(context: ChannelHandlerContext) { link.channelEnded(side) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { link.failed() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let order as ProxyLink.Order: link.obey(order)
        case ChannelEvent.inputClosed: link.inputEnded(side)
        default: context.fireUserInboundEventTriggered(event)
        }
    }
}
