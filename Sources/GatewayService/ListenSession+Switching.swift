import CoreMetrics
import EarshotModel
import Logging

// How a connection goes on in another conversation: with another session, so that everything behind sees a plain end
// and a plain start (docs/adr/0009).
extension ListenSession {
    /// The session before the switch, whose last results may still come.
    struct Earlier {
        let id: SessionID
        var results: ResultSequence
    }

    /// Its conversation was closed for silence: the session ends, and the next one begins on the same socket.
    func conversationWasClosed() {
        guard phase == .streaming, let old = stream, let user, let parameters else { return }
        phase = .registering
        applyReading()
        if let earlier { loop.forget(earlier.id) }
        earlier = Earlier(id: id, results: results)
        old.end(.conversationClosed) {}
        stream = nil
        id = .new(at: WallClock.microseconds)
        results = ResultSequence()
        logger[metadataKey: "session.id"] = "\(id)"
        loop.metrics.conversationSwitches.increment()
        register(parameters, user)
    }
}
