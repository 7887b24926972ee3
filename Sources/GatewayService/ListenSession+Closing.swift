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

    /// The device closed: it is answered once its audio is in Redis.
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
        let answer = closeAnswer(to: code)
        appendEnd(.clientClosed) { [self] in
            let lost = stream?.whyLost
            if lost == nil, code == CloseCode.normal.rawValue { stream?.completeAtOnce() }
            answer(lost)
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
