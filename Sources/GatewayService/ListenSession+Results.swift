import AudioStreams
import CoreMetrics
import EarshotModel

// How live results reach the device.
extension ListenSession {
    /// Takes in a result from the gateway's subscription.
    func deliver(_ result: LiveResult) {
        guard takesResults(of: result.session) else { return }
        switch judge(result) {
        case .deliver:
            loop.metrics.resultsDelivered.increment()
            send(text: result.text)
        case .drop: loop.metrics.resultsDropped.increment()
        case .fetch:
            loop.metrics.resultGaps.increment()
            fetchFinals(of: result.session)
        }
    }

    /// Fetches the finals kept of a session of this connection and delivers those that were missed.
    func fetchFinals(of session: SessionID) {
        guard takesResults(of: session), let user else { return }
        let partition = Partition(of: user, count: loop.configuration.partitions)
        loop.appender.finals(of: session, in: partition) { [self] result in
            guard case .success(let finals) = result else { return }
            for final in finals {
                skip(to: final.ordinal, of: session)
                deliver(final)
            }
        }
    }

    /// Whether results of a session still belong on this socket: of the one before a switch also while the next one is
    /// being registered.
    private func takesResults(of session: SessionID) -> Bool {
        switch phase {
        case .streaming: session == id || session == earlier?.id
        case .registering: session == earlier?.id
        case .authenticating, .closing, .closed: false
        }
    }

    private func judge(_ result: LiveResult) -> ResultSequence.Verdict {
        guard result.session == earlier?.id else { return results.judge(result) }
        return earlier?.results.judge(result) ?? .drop
    }

    /// What is not kept any more is given up, so that the rest can go on.
    private func skip(to ordinal: UInt64, of session: SessionID) {
        if session == earlier?.id { earlier?.results.skip(to: ordinal) } else { results.skip(to: ordinal) }
    }
}
