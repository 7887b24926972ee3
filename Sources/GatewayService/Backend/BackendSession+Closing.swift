import EarshotModel
import NIOCore
import NIOWebSocket

// How a back end's connection ends; which code a cause gets stands in `CloseCause`.
extension BackendSession {
    /// Closes from our side.
    ///
    /// Where the peer did nothing wrong, what it had sent before it learnt of the close is still taken.
    func close(_ cause: CloseCause) {
        guard phase == .open else { return }
        switch cause {
        case .draining, .silent, .inactive: phase = .leaving(cause.endReason)
        case .notServed, .notAuthenticated, .violation, .unavailable:
            phase = .over
            end(cause.endReason)
        }
        applyReading()
        sendClose(WebSocketErrorCode(codeNumber: Int(cause.code.rawValue)), cause.reason)
    }

    /// The peer closed: it is answered once everything is in Redis.
    func peerClosed(_ code: UInt16?) {
        switch phase {
        case .over: channel?.close(promise: nil)
        case .leaving(let reason):
            // The answer to our own close frame: nothing follows it.
            phase = .over
            end(reason)
            channel?.close(promise: nil)
        case .open:
            phase = .over
            let audio = feed?.audio
            let answer = closeAnswer(to: code)
            end(.clientClosed) { answer(audio?.whyLost) }
        }
    }

    /// What was appended is compared with what Redis has.
    func storeReturned() { feed?.audio.verify() }

    /// The process drains for a restart.
    func drain(comingAgain _: NIODeadline?) { close(.draining) }

    /// The store refused audio for good; sending again later may help.
    func audioWasRefused() { close(.unavailable("the store cannot take audio now; try again")) }

    /// The session was ended elsewhere; what follows goes to a new one of the same conversation.
    func epochWasLost() { feed = nil }

    /// A back end names its conversations, so none is ever closed for silence.
    func conversationWasClosed() {}

    /// The channel is gone.
    func vanished() {
        channel = nil
        switch phase {
        case .open: end(.connectionLost)
        case .leaving(let reason): end(reason)
        case .over: break
        }
        phase = .over
        loop.closed(self, ids: [])
    }

    /// Ends the connection's work behind what was read; `completion` runs when that is in Redis.
    private func end(_ reason: EndReason, completion: @escaping () -> Void = {}) {
        if ending == nil { ending = (reason, []) }
        ending?.completions.append(completion)
        pump()
    }

    /// Nothing waits any more: what is held finds its session, and the session its end.
    func endIfDue() {
        guard let ending else { return }
        settle()
        guard !isRegistering else { return }
        self.ending?.completions = []
        endFeed(ending.reason) { for completion in ending.completions { completion() } }
    }
}
