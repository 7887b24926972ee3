import AudioStreams
import CoreMetrics
import EarshotModel

// How live results reach the device.
extension ListenSession {
    /// Takes in a result from the gateway's subscription.
    func deliver(_ result: LiveResult) {
        guard phase == .streaming else { return }
        let verdict = result.session == earlier?.id ? earlier?.results.judge(result) : results.judge(result)
        switch verdict ?? .drop {
        case .deliver:
            loop.metrics.resultsDelivered.increment()
            send(text: result.text)
        case .drop: loop.metrics.resultsDropped.increment()
        case .fetch:
            loop.metrics.resultGaps.increment()
            fetchFinals()
        }
    }

    /// Fetches the finals kept of the session and delivers those that were missed.
    func fetchFinals() {
        guard phase == .streaming, let registration else { return }
        loop.appender.finals(of: id, in: registration.partition) { [self] result in
            guard case .success(let finals) = result else { return }
            for final in finals {
                // What is not kept any more is given up, so that the rest can go on.
                if final.ordinal > results.next { results.skip(to: final.ordinal) }
                deliver(final)
            }
        }
    }
}
