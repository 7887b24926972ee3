/// The requests that wait for a recogniser's threads: decisions only, no locks and no clock.
///
/// Finals go first, then voices, then interims, and in each class whoever waits longest. Interims are worth something
/// only while they are fresh: one gives way to a newer one of its caller, to a final of its caller, and to time.
struct RecognitionQueue {
    /// What the queue bounds and why.
    struct Bounds: Sendable {
        /// Waiting finals: far more than two cores work off in the 30 s of a drain (40 ms to 1.6 s each).
        var finalsMax = 1_024
        /// Audio in waiting finals, in samples: 30 min, which are 115 MB.
        var finalSamplesMax = 30 * 60 * 16_000
        /// Waiting voices: two threads work off as many in the 3 s after which no text waits for one any more.
        var voicesMax = 64
        /// Waiting interims: what two cores work off in about a second, after which they are stale.
        var interimsMax = 64
        /// A lane asks for its next interim a second later.
        var interimWaitMax: Duration = .seconds(1)
    }

    struct Request: Sendable {
        let id: UInt64
        let samples: [Float]
        let priority: RecognitionPriority
        let submitted: ContinuousClock.Instant
        /// What to do with the samples; nil recognises their text.
        var work: RecognitionWork?
    }

    /// What a thread does next, and the interims that became useless meanwhile.
    struct Decision {
        var request: Request?
        var dropped: [UInt64] = []
    }

    private let bounds: Bounds
    // Neither interims nor voices take all threads, so that of each at most so many are before a final; with one thread
    // there is no choice.
    private let lesserThreadsMax: Int
    private var finals: [Request] = []
    private var voices: [Request] = []
    private var interims: [Request] = []
    private var finalSamples = 0
    private var voicesRunning = 0
    private var interimsRunning = 0

    init(threads: Int, bounds: Bounds = Bounds()) {
        self.bounds = bounds
        lesserThreadsMax = max(1, threads - 1)
    }

    var finalsWaiting: Int { finals.count }
    var voicesWaiting: Int { voices.count }
    var interimsWaiting: Int { interims.count }

    /// Takes a request.
    ///
    /// - Returns: The interims that it makes useless.
    /// - Throws: `RecognitionError` with `unavailable` when too much waits already.
    mutating func add(_ request: Request) throws(RecognitionError) -> [UInt64] {
        try checkBounds(request)
        var dropped: [UInt64] = []
        if let caller = request.priority.caller {
            dropped = interims.filter { $0.priority.caller == caller }.map(\.id)
            interims.removeAll { $0.priority.caller == caller }
        }
        switch request.priority.kind {
        case .final:
            finals.append(request)
            finalSamples += request.samples.count
        case .voice: voices.append(request)
        case .interim:
            if interims.count >= bounds.interimsMax { dropped.append(interims.removeFirst().id) }
            interims.append(request)
        }
        return dropped
    }

    private func checkBounds(_ request: Request) throws(RecognitionError) {
        switch request.priority.kind {
        case .interim: break
        case .voice:
            guard voices.count < bounds.voicesMax else {
                throw RecognitionError(.unavailable, "\(voices.count) voices wait; no more are allowed")
            }
        case .final:
            guard finals.count < bounds.finalsMax else {
                throw RecognitionError(
                    .unavailable, "\(finals.count) utterances wait for the recogniser; no more are allowed")
            }
            guard finalSamples + request.samples.count <= bounds.finalSamplesMax else {
                throw RecognitionError(
                    .unavailable,
                    "\(finalSamples / 16_000) s of audio wait for the recogniser; at most "
                        + "\(bounds.finalSamplesMax / 16_000) s are allowed")
            }
        }
    }

    /// Takes the next request out for a thread; none if nothing waits that may run now.
    mutating func next(now: ContinuousClock.Instant) -> Decision {
        let stale = interims.prefix { now - $0.submitted > bounds.interimWaitMax }
        var decision = Decision(dropped: stale.map(\.id))
        interims.removeFirst(stale.count)
        if !finals.isEmpty {
            let request = finals.removeFirst()
            finalSamples -= request.samples.count
            decision.request = request
        } else if !voices.isEmpty, voicesRunning < lesserThreadsMax {
            voicesRunning += 1
            decision.request = voices.removeFirst()
        } else if !interims.isEmpty, interimsRunning < lesserThreadsMax {
            interimsRunning += 1
            decision.request = interims.removeFirst()
        }
        return decision
    }

    /// Notes that a thread is through with a request; it must then ask for the next.
    mutating func finished(_ request: Request) {
        switch request.priority.kind {
        case .final: break
        case .voice: voicesRunning -= 1
        case .interim: interimsRunning -= 1
        }
    }

    /// Takes a waiting request out; without effect if it is not waiting.
    mutating func remove(_ id: UInt64) {
        interims.removeAll { $0.id == id }
        voices.removeAll { $0.id == id }
        if let index = finals.firstIndex(where: { $0.id == id }) {
            finalSamples -= finals.remove(at: index).samples.count
        }
    }

    /// Takes all waiting requests out.
    mutating func removeAll() {
        finals = []
        voices = []
        interims = []
        finalSamples = 0
    }
}
