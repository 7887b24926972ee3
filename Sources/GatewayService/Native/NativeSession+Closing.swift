import AudioStreams
import CoreMetrics
import EarshotModel
import Logging
import NIOCore
import NIOWebSocket

// How a connection closes: the session ends, the device gets its last acknowledgement, then `closing`, then the close
// frame; which code a cause gets stands in `NativeCloseCause`.
extension NativeSession {
    /// A close that has begun.
    struct Ending {
        var cause: NativeCloseCause
        /// Whether the peer's own close frame has come.
        var isAnswer = false
        /// Whether ours was sent.
        var isSaid = false
    }

    /// Closes from our side.
    func close(_ cause: NativeCloseCause) { close(Ending(cause: cause)) }

    private func close(_ ending: Ending) {
        guard phase == .registering || phase == .streaming else { return }
        phase = .closing
        self.ending = ending
        applyReading()
        sayInTime()
        appendEnd(ending.cause.endReason) { [self] in
            // Whoever goes on with the session is still in the conversation.
            if case .peer(let code) = ending.cause, code == CloseCode.normal.rawValue, stream?.whyLost == nil {
                stream?.completeAtOnce()
            }
            say()
        }
    }

    /// While Redis is away its answer is not waited for longer than this.
    private func sayInTime() {
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        let timeout = loop.eventLoop.scheduleTask(in: TimeAmount(limits.closeTimeout)) { bound.value.say() }
        channel?.closeFuture.whenComplete { _ in timeout.cancel() }
    }

    /// The last words, once.
    private func say() {
        guard phase == .closing, let ending, !ending.isSaid else { return }
        self.ending?.isSaid = true
        acknowledgeAtClose()
        if let (reason, retryAfter) = ending.cause.closing(limits) {
            send(text: NativeMessage.closing(reason, retryAfter: retryAfter))
        }
        sendClose(ending.cause.code, ending.cause.reason, isReply: ending.isAnswer)
    }

    /// The device closed: its code is echoed once its audio is in Redis.
    func peerClosed(_ code: UInt16?) {
        switch phase {
        case .closed: return
        case .closing:
            // The answer to our own close frame, or a close that crossed with ours.
            if ending?.isSaid == true { channel?.close(promise: nil) } else { ending?.isAnswer = true }
        case .registering, .streaming: close(Ending(cause: .peer(code), isAnswer: true))
        }
    }

    /// Appends what waits and the end marker behind it; `completion` runs when that is in Redis.
    func appendEnd(_ reason: EndReason, completion: @escaping () -> Void) {
        guard let stream, stream.registration.session == id else {
            reasonBeforeRegistration = reasonBeforeRegistration ?? reason
            return completion()
        }
        stream.end(reason, completion: completion)
    }

    /// The store refused audio for good.
    func audioWasRefused() { close(.unavailable("the store cannot take audio now; resume later")) }

    /// Its device may still have what Redis lost.
    func audioWasRolledBack() { close(.rolledBack) }

    /// Nothing more may be written for the session (protocol.md C2): another connection continues it, or it was ended.
    func epochWasLost() {
        guard phase == .streaming else { return }
        phase = .closing
        ending = Ending(cause: .endedElsewhere)
        applyReading()
        sayInTime()
        loop.appender.askEndReason(of: id, in: partition) { [self] result in
            if case .success(.superseded?) = result { ending?.cause = .takenOver }
            say()
        }
    }

    /// Another connection continues a session of this one.
    func wasTaken(_ session: SessionID) {
        guard session == id, phase == .streaming || phase == .closing, ending?.isSaid != true else { return }
        stream?.abandon()
        phase = .closing
        ending = Ending(cause: .takenOver, isAnswer: ending?.isAnswer == true)
        applyReading()
        sayInTime()
        say()
    }

    /// What was acknowledged is compared with what Redis has.
    func storeReturned() {
        acknowledgements.isHere = false
        stream?.verify()
    }

    /// The process drains for a restart.
    func drain(comingAgain moment: NIODeadline?) { close(.draining(comingAgain: moment)) }

    /// The channel is gone.
    func vanished() {
        let wasOpen = phase == .registering || phase == .streaming
        phase = .closed
        if wasOpen { appendEnd(.connectionLost) {} }
        loop.closed(self, ids: [id, earlier?.id].compactMap(\.self))
        channel = nil
    }
}
