import AudioStreams
import CoreMetrics
import EarshotModel
import Logging
import NIOCore
import NIOWebSocket

// How a session closes; which code a cause gets stands in `CloseCause`.
extension ListenSession {
    /// Closes from our side: the end goes to Redis, the close frame to the device.
    func close(_ cause: CloseCause) {
        guard phase != .closing, phase != .closed else { return }
        phase = .closing
        applyReading()
        appendEnd(cause.endReason) {}
        sendClose(WebSocketErrorCode(codeNumber: Int(cause.code.rawValue)), cause.reason)
    }

    /// The device closed: its code is echoed once its audio is in Redis, or 1001 says that it is not known to be there
    /// (docs/adr/0005).
    func peerClosed(_ code: UInt16?) {
        switch phase {
        case .closed: return
        case .closing:
            // The answer to our own close frame.
            channel?.close(promise: nil)
            return
        case .authenticating, .registering, .streaming: break
        }
        phase = .closing
        let echo = WebSocketErrorCode(codeNumber: Int(code ?? CloseCode.normal.rawValue))
        let goingAway = WebSocketErrorCode(codeNumber: Int(CloseCode.goingAway.rawValue))
        var isAnswered = false
        let answerOnce = { [self] (lost: String?) in
            guard !isAnswered else { return }
            isAnswered = true
            sendClose(lost == nil ? echo : goingAway, lost ?? "", isReply: true)
        }
        let bound = NIOLoopBound(answerOnce, eventLoop: loop.eventLoop)
        let timeout = loop.eventLoop.scheduleTask(in: TimeAmount(loop.configuration.limits.closeTimeout)) {
            bound.value("the store did not answer in time")
        }
        appendEnd(.clientClosed) { [self] in
            timeout.cancel()
            let lost =
                stream?.wasCutOff == true
                ? "the session was ended elsewhere" : stream?.gap != nil ? "the store did not take all of it" : nil
            if lost == nil, code == CloseCode.normal.rawValue { stream?.completeAtOnce() }
            answerOnce(lost)
        }
    }

    /// Somebody else owns the session, or it was ended: nothing more may be written for it (protocol.md C2).
    func epochWasLost() {
        guard phase == .streaming else { return }
        phase = .closing
        applyReading()
        sendClose(WebSocketErrorCode(codeNumber: Int(CloseCode.goingAway.rawValue)), "the session was ended elsewhere")
    }

    /// What was appended is compared with what Redis has.
    func storeReturned() { stream?.verify() }

    /// The process drains for a restart.
    func drain(comingAgain _: NIODeadline?) { close(.draining) }

    /// The channel is gone.
    func vanished() {
        let wasOpen = phase != .closing && phase != .closed
        phase = .closed
        if wasOpen { appendEnd(.connectionLost) {} }
        loop.closed(self, ids: [id, earlier?.id].compactMap(\.self))
        channel = nil
    }
}
