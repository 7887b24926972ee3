import AudioStreams
import CoreMetrics
import EarshotModel
import NIOCore

// How live results reach the device, those of the session before included.
extension NativeSession {
    /// The session before this one.
    struct Earlier {
        let id: SessionID
        var results: ResultSequence
        let since: NIODeadline
        /// How often its final results were asked for.
        var fetches = 0
    }

    /// Takes results of a session that this one continues; what is known of it already is not repeated.
    func listen(to session: SessionID, _ results: ResultSequence = ResultSequence()) {
        if let earlier { loop.forget(earlier.id) }
        earlier = Earlier(id: session, results: results, since: loop.now)
        loop.registered(self, as: session)
    }

    /// Another gateway may get them, or nobody: the last ones of a session whose connection was cut are fetched.
    func fetchEarlierResults(at now: NIODeadline) {
        guard phase == .streaming, let earlier, earlier.fetches < limits.earlierResultsDelays.count,
            now - earlier.since >= TimeAmount(limits.earlierResultsDelays[earlier.fetches])
        else { return }
        self.earlier?.fetches += 1
        fetchFinals(of: earlier.id)
    }

    /// Takes in a result from the gateway's subscription.
    func deliver(_ result: LiveResult) {
        guard takesResults(of: result.session), let text = NativeMessage.result(result) else { return }
        switch judge(result) {
        case .deliver:
            loop.metrics.resultsDelivered.increment()
            send(text: text)
        case .drop: loop.metrics.resultsDropped.increment()
        case .fetch:
            loop.metrics.resultGaps.increment()
            fetchFinals(of: result.session)
        }
    }

    /// Fetches the final results kept of a session of this connection and delivers those that were missed.
    func fetchFinals(of session: SessionID) {
        guard takesResults(of: session) else { return }
        loop.appender.finals(of: session, in: partition) { [self] result in
            guard case .success(let finals) = result else { return }
            for final in finals {
                // What is not kept any more is given up, so that the rest can go on.
                if session == earlier?.id {
                    earlier?.results.skip(to: final.ordinal)
                } else {
                    results.skip(to: final.ordinal)
                }
                deliver(final)
            }
        }
    }

    private func takesResults(of session: SessionID) -> Bool {
        switch phase {
        case .streaming: session == id || session == earlier?.id
        case .registering: session == earlier?.id
        case .closing, .closed: false
        }
    }

    private func judge(_ result: LiveResult) -> ResultSequence.Verdict {
        guard result.session == earlier?.id else { return results.judge(result) }
        return earlier?.results.judge(result) ?? .drop
    }
}
