import NIOCore
import NIOHTTP1
import NIOWebSocket

/// The server's end of one connection.
struct TestPeer: Sendable {
    let channel: any Channel
    let head: HTTPRequestHead

    func send(text: String) { send(.text, ByteBuffer(string: text)) }

    func send(_ opcode: WebSocketOpcode, _ data: ByteBuffer, fin: Bool = true, mask: WebSocketMaskingKey? = nil) {
        let frame = WebSocketFrame(fin: fin, opcode: opcode, maskKey: mask, data: data)
        channel.writeAndFlush(frame, promise: nil)
    }

    func close(code: UInt16?, reason: String = "") {
        var data = ByteBuffer()
        if let code {
            data.writeInteger(code)
            data.writeString(reason)
        }
        send(.connectionClose, data)
    }

    /// Ends the TCP connection without a close frame.
    func drop() { channel.close(promise: nil) }

    func setReading(_ isReading: Bool) {
        channel.setOption(.autoRead, value: isReading).whenSuccess { if isReading { channel.read() } }
    }
}

/// Follows a script for the frames of one connection.
final class TestPeerHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let script: TestScript
    private let head: HTTPRequestHead
    private var error: String?

    init(_ script: TestScript, head: HTTPRequestHead) {
        self.script = script
        self.head = head
    }

    func handlerAdded(context: ChannelHandlerContext) {
        script.onOpen(TestPeer(channel: context.channel, head: head))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        let channel = context.channel
        script.onFrame(TestPeer(channel: channel, head: head), frame)
        guard frame.opcode == .connectionClose, script.answersClose else { return }
        let answer = WebSocketFrame(fin: true, opcode: .connectionClose, data: frame.unmaskedData)
        channel.writeAndFlush(answer).whenComplete { _ in channel.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        script.onEnd(error)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.error = "\(error)"
        context.close(promise: nil)
    }
}
