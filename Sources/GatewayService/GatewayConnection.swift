import CoreMetrics
import EarshotModel
import Logging
import NIOCore
import NIOWebSocket

/// A connection after its upgrade, as its loop sees it: it is visited once a second, paused, drained and cut.
protocol GatewayConnection: AnyObject {
    var loop: GatewayLoop { get }
    /// `nil` once it is gone.
    var channel: (any Channel)? { get }
    var logger: Logger { get }

    /// Once a second: the clocks that close.
    func visit(at now: NIODeadline)
    /// The loop began or ceased to read its sockets; `pause` is how many µs it did not.
    func readingChanged(pause: Int64)
    /// There is a new connection to Redis, and maybe another Redis: what was acknowledged is compared with it.
    func storeReturned()
    /// The process drains for a restart; a device that can be told comes again at its place in the drain's schedule.
    func drain(comingAgain moment: NIODeadline?)
}

extension GatewayConnection {
    /// Sends a frame; a peer that does not read is cut.
    func send(_ frame: WebSocketFrame) {
        guard let channel else { return }
        channel.writeAndFlush(frame, promise: nil)
        guard !channel.isWritable else { return }
        // The peer does not read; a close frame would wait behind what it does not read.
        loop.metrics.slowReaders.increment()
        logger.notice("the peer does not read; its connection is cut")
        abort()
    }

    /// Cuts the connection without a word.
    func abort() { channel?.close(promise: nil) }

    /// What answers the peer's close, once.
    ///
    /// With its code, or with 1001 and why its audio is not known to be in the store (docs/adr/0005): also when that
    /// takes too long to find out.
    func closeAnswer(to code: UInt16?) -> (_ lost: String?) -> Void {
        var isAnswered = false
        var timeout: Scheduled<Void>?
        let answer = { [self] (lost: String?) in
            timeout?.cancel()
            guard !isAnswered else { return }
            isAnswered = true
            let answered = lost == nil ? code ?? CloseCode.normal.rawValue : CloseCode.goingAway.rawValue
            sendClose(WebSocketErrorCode(codeNumber: Int(answered)), lost ?? "", isReply: true)
        }
        let bound = NIOLoopBound(answer, eventLoop: loop.eventLoop)
        timeout = loop.eventLoop.scheduleTask(in: TimeAmount(loop.configuration.limits.closeTimeout)) {
            bound.value("the store did not answer in time")
        }
        return answer
    }

    /// Sends a close frame and cuts the connection when the handshake takes too long.
    ///
    /// A reply to the peer's close frame ends the connection at once.
    func sendClose(_ code: WebSocketErrorCode, _ reason: String, isReply: Bool = false) {
        guard let channel else { return }
        var data = channel.allocator.buffer(capacity: 2 + reason.utf8.count)
        data.write(webSocketErrorCode: code)
        data.writeString(CloseCode.trimmed(reason))
        let written = channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .connectionClose, data: data))
        // The peer answers with its own close frame, or reads ours; one that does neither is cut.
        let timeout = loop.eventLoop.scheduleTask(in: TimeAmount(loop.configuration.limits.closeTimeout)) {
            channel.close(promise: nil)
        }
        if isReply { written.whenComplete { _ in channel.close(promise: nil) } }
        channel.closeFuture.whenComplete { _ in timeout.cancel() }
    }
}
