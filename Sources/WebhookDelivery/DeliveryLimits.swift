/// Every number of webhook delivery that is a contract or a bound, each with its reason.
///
/// Tests shorten clocks by passing another value; the logic stays the same.
package struct DeliveryLimits: Sendable {
    // MARK: Attempts

    /// Pauses after the first, second, … failed attempt; 75.6 hours in all, then the delivery is dead.
    package var retryDelays: [Duration] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map {
        .seconds($0)
    }
    /// Share of a pause by which it is lengthened or shortened at random, so that failures do not come back together.
    package var retryJitter = 0.2
    /// Most that a receiver's `Retry-After` lengthens a pause: an absurd one must not bury a delivery.
    package var retryAfterMaximum: Duration = .seconds(3_600)
    /// Most that a `Retry-After` keeps everything else of its endpoint waiting: as long as it may ask for one delivery.
    package var endpointPauseMaximum: Duration = .seconds(3_600)
    /// A failing delivery holds its lane for so many retries (protocol.md H6).
    package var laneHoldRetries = 2
    /// It holds its lane only as long as the next retry comes within this time, whatever its receiver asks for.
    package var laneHoldMaximum: Duration = .seconds(600)
    /// Connecting, and the whole exchange with the body: what one attempt costs at most.
    package var connectTimeout: Duration = .seconds(2)
    package var totalTimeout: Duration = .seconds(15)
    /// Audio that a session's lane keeps for a receiver that is slow, while the user's others go on: by length, well
    /// below the time after which a waiting lane parks, and by bytes.
    package var heldAudioMaximum: Duration = .seconds(120)
    package var heldAudioBytesMaximum = 8 << 20
    /// Time without audio behind which a window ends: longer than most stalls of a network, short enough that the last
    /// words before a silence are still live.
    package var audioQuiet: Duration = .seconds(3)
    /// Bytes read of a response, after decompression.
    package var responseBytesMaximum = 16 * 1024
    /// Characters of a response that the log of attempts keeps.
    package var responseExcerptMaximum = 512
    /// A claim on a delivery; longer than an exchange and its recording, short enough for a take-over.
    package var claimDuration: Duration = .seconds(45)

    // MARK: Bodies and endpoints

    /// Largest body; more is split or refused (docs/webhooks.md).
    package var bodyBytesMaximum = 256 * 1024
    /// An endpoint that failed this long without one success is disabled.
    package var failingMaximum: Duration = .seconds(5 * 86_400)
    /// Events of a disabled endpoint are kept for a replay so long after it was disabled, then not any more.
    package var disabledKeep: Duration = .seconds(7 * 86_400)
    /// Endpoints one owner may have: an event costs a delivery each.
    package var endpointsMaximum = 20
    /// Secrets of one endpoint that are valid at the same time: each costs a signature a request.
    package var secretsMaximum = 10

    // MARK: Breaker

    /// Failures in a row after which an endpoint is left alone.
    package var breakerFailures = 5
    /// It is left alone for this long, then one request probes it; each failed probe doubles the pause.
    package var breakerPause: Duration = .seconds(15)
    package var breakerPauseMaximum: Duration = .seconds(60)
    /// Requests at once to an endpoint nobody knows yet; each success allows more, up to its setting.
    package var initialConcurrency = 2
    /// Endpoints whose health one process remembers; the ones unused longest are forgotten.
    package var gatesMaximum = 10_000

    // MARK: Deliverer

    /// Deliveries one process has in flight.
    package var slots = 256
    /// What endpoints have of them together whose last request failed, or that had none yet: however many hang, half
    /// of the slots are there for those that answer.
    package var unprovenSlots: Int { max(1, slots / 2) }
    /// Longest time between two looks at the database: another process may have written.
    package var pollInterval: Duration = .seconds(1)
    /// Shortest time between two looks that nobody asked for.
    package var pollPause: Duration = .milliseconds(20)
    /// `conversation.completed` waits for the record so long, then tells what is there, if anything is: longer than a
    /// coordinator is away unnoticed, short enough that the news is still one.
    package var recordWait: Duration = .seconds(86_400)
    /// Pause before the next look at the record: a tenth of the wait so far, within these bounds.
    package var recordStep: Duration = .seconds(1)
    package var recordStepMaximum: Duration = .seconds(60)
    /// Owners whose endpoints a process keeps, and how long without a look at the database.
    package var ownersMaximum = 20_000
    package var ownerAge: Duration = .seconds(60)

    // MARK: Keeping

    /// Delivered and dead deliveries are kept so long, for questions and replays.
    package var deliveredKeep: Duration = .seconds(7 * 86_400)
    package var deadKeep: Duration = .seconds(30 * 86_400)
    /// Requests with live audio are kept so long: there is one every few seconds for as long as somebody speaks.
    package var audioAttemptsKeep: Duration = .seconds(86_400)
    /// Rows one clean-up removes, and its period.
    package var cleanUpRows = 2_000
    package var cleanUpInterval: Duration = .seconds(60)
    /// Deliveries of one replay that are in hand at once: live events go on beside it.
    package var replayInHand = 500

    /// The numbers a fleet runs with.
    package init() {}

    /// Divides the clocks that no person wants to wait for; the logic stays the same.
    package mutating func divideClocks(by divisor: Int) {
        retryDelays = retryDelays.map { $0 / divisor }
        laneHoldMaximum /= divisor
        breakerPause /= divisor
        breakerPauseMaximum /= divisor
        failingMaximum /= divisor
    }
}
