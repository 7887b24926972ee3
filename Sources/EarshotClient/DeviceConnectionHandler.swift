import NIOCore
import NIOWebSocket

/// The WebSocket end of a device's connection, on its event loop.
///
/// It stops reading the socket while the reader has enough, makes senders wait while the socket takes no more, answers
/// pings, and ends in exactly one `DeviceMessage.closed`.
final class DeviceConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = Never
    typealias OutboundOut = WebSocketFrame

    private struct Outgoing {
        let opcode: WebSocketOpcode
        let payload: ByteBuffer
        let promise: EventLoopPromise<Void>
    }

    private var context: ChannelHandlerContext?
    private var assembler = WebSocketMessageAssembler(bytesMax: DeviceClientLimits.messageBytesMax)
    private var source: DeviceMessages.Producer.Source?
    private var isReaderSated = false
    private var isReadPending = false
    /// Sends that wait for the socket, one for each call that is suspended: callers bound it.
    private var waiting: CircularBuffer<Outgoing> = []
    /// The answer to the latest ping, owed until the socket takes it; RFC 6455 asks for no more than the latest.
    private var owedPong: ByteBuffer?
    private var isCloseSent = false
    /// Succeeds when the close frame has left; fails with the connection.
    private var closeFlushed: EventLoopFuture<Void>?
    private var closeTimer: Scheduled<Void>?
    /// Why the connection will end, once that is known.
    private var ending: (code: UInt16?, reason: String)?

    /// Makes the sequence of messages; called once, on the event loop, before the handler is added.
    func makeMessages(eventLoop: any EventLoop) -> DeviceMessages {
        let made = DeviceMessages.Producer.makeSequence(
            elementType: DeviceMessage.self,
            backPressureStrategy: .init(
                lowWatermark: DeviceClientLimits.unreadMessagesResume,
                highWatermark: DeviceClientLimits.unreadMessagesMax),
            finishOnDeinit: true,
            delegate: DeviceConnectionDemand(handler: NIOLoopBound(self, eventLoop: eventLoop), eventLoop: eventLoop))
        source = made.source
        return DeviceMessages(producer: made.sequence)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    func read(context: ChannelHandlerContext) {
        if isReaderSated {
            isReadPending = true
        } else {
            context.read()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // After the close frame, or a failure, nothing more counts.
        guard ending == nil else { return }
        switch assembler.receive(unwrapInboundIn(data)) {
        case .none: break
        case .deliver(let message): deliver(message)
        case .pong(let payload):
            owedPong = payload
            sendOwedPong()
        case .close(let code, let reason): closeReceived(code: code, reason: reason)
        case .fail(let code, let reason): fail(code: code, reason: reason)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        sendOwedPong()
        while context.channel.isWritable, let next = waiting.popFirst() {
            write(next.opcode, next.payload)
            next.promise.succeed()
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if ending == nil { ending = (nil, "the connection failed: \(error)") }
        // Wrong frames are answered and closed by NIO's own handler, which has the error before this one.
        if !(error is NIOWebSocketError) { context.close(promise: nil) }
    }

    /// The reader has room again.
    func readerWantsMore() {
        isReaderSated = false
        guard isReadPending else { return }
        isReadPending = false
        context?.read()
    }

    /// The reader will take nothing more: read on and discard, so that the close handshake can end.
    func readerLeft() {
        readerWantsMore()
    }

    /// Writes a message, at once or when the socket takes it; the future then succeeds.
    func send(_ opcode: WebSocketOpcode, _ payload: ByteBuffer, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        if sendNow(opcode, payload) { return eventLoop.makeSucceededVoidFuture() }
        guard context != nil, !isCloseSent, ending == nil else {
            return eventLoop.makeFailedFuture(closedError)
        }
        let promise = eventLoop.makePromise(of: Void.self)
        waiting.append(Outgoing(opcode: opcode, payload: payload, promise: promise))
        return promise.futureResult
    }

    /// Writes a message if the socket takes it now.
    func sendNow(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) -> Bool {
        guard let context, context.channel.isWritable, waiting.isEmpty, !isCloseSent, ending == nil else {
            return false
        }
        write(opcode, payload)
        return true
    }

    /// Sends the close frame, and ends the connection itself if the server does not answer in time.
    func beginClose(code: UInt16, reason: String) {
        guard !isCloseSent else { return }
        sendClose(code: code, reason: reason)
        failWaiting()
        closeInTime()
    }

    /// Notes why the connection is about to be dropped from this side.
    func willAbort() {
        if ending == nil { ending = (nil, "aborted from this side") }
    }

    private var closedError: DeviceConnectionError {
        let reason = ending.map { " (\($0.code.map(String.init) ?? "no code") \($0.reason))" } ?? ""
        return DeviceConnectionError(.closed, "the connection is closed\(reason); nothing can be sent")
    }

    private func deliver(_ message: DeviceMessage) {
        if source?.yield(message) == .stopProducing { isReaderSated = true }
    }

    private func closeReceived(code: UInt16?, reason: String) {
        ending = (code, reason)
        sendClose(code: code, reason: "")
        closeWhenFlushed()
    }

    private func fail(code: UInt16, reason: String) {
        ending = (nil, "protocol error: \(reason)")
        sendClose(code: code, reason: reason)
        closeWhenFlushed()
    }

    private func closeWhenFlushed() {
        failWaiting()
        // A server that reads nothing must not keep the connection open.
        closeInTime()
        guard let context else { return }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        closeFlushed?.whenComplete { _ in bound.value.close(promise: nil) }
    }

    private func closeInTime() {
        guard let context, closeTimer == nil else { return }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        closeTimer = context.eventLoop.scheduleTask(in: DeviceClientLimits.closeTimeout) {
            bound.value.close(promise: nil)
        }
    }

    private func end() {
        closeTimer?.cancel()
        closeTimer = nil
        failWaiting()
        guard let source else { return }
        self.source = nil
        let last = ending ?? (nil, "the connection ended without a close frame")
        _ = source.yield(.closed(code: last.code, reason: last.reason))
        source.finish()
    }

    private func failWaiting() {
        while let next = waiting.popFirst() { next.promise.fail(closedError) }
    }

    private func sendOwedPong() {
        guard let payload = owedPong, let context, context.channel.isWritable, !isCloseSent else { return }
        owedPong = nil
        write(.pong, payload)
    }

    private func write(_ opcode: WebSocketOpcode, _ payload: ByteBuffer, promise: EventLoopPromise<Void>? = nil) {
        let frame = WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: payload)
        context?.writeAndFlush(wrapOutboundOut(frame), promise: promise)
    }

    private func sendClose(code: UInt16?, reason: String) {
        guard let context, !isCloseSent else { return }
        isCloseSent = true
        var payload = ByteBuffer()
        if let code {
            payload.writeInteger(code)
            payload.writeSubstring(Self.prefix(of: reason, bytesMax: DeviceClientLimits.closeReasonBytesMax))
        }
        let promise = context.eventLoop.makePromise(of: Void.self)
        closeFlushed = promise.futureResult
        write(.connectionClose, payload, promise: promise)
    }

    /// Shortens a text to whole characters within a number of bytes.
    private static func prefix(of text: String, bytesMax: Int) -> Substring {
        var shortened = text[...]
        while shortened.utf8.count > bytesMax { shortened.removeLast() }
        return shortened
    }
}
