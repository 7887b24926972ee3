/// Decides whether a counterpart that keeps failing is asked again: closed, open, half-open.
///
/// No I/O and no clock.
///
/// Closed, every call is admitted; `failuresMaximum` failures in a row open it. Open, no call is admitted for a while.
/// Then, half-open, one trial at a time: its success closes the breaker, its failure opens it for twice as long.
/// Every admitted call is reported once, with its ticket; a report of a call from before the last change of state is
/// ignored. A trial that is never reported counts as lost after `trialDuration`.
package struct CircuitBreaker: Sendable {
    /// When a breaker opens and for how long.
    package struct Policy: Sendable {
        /// Failures in a row that open it.
        package var failuresMaximum = 5
        /// How long it is open the first time; each failed trial doubles it.
        package var openDuration: Duration = .seconds(15)
        /// The longest it is open.
        package var openDurationMaximum: Duration = .seconds(300)
        /// After this a trial without a report no longer keeps the next one away; longer than any call takes.
        package var trialDuration: Duration = .seconds(60)

        /// The default policy.
        package init() {}
    }

    /// What a breaker does with calls.
    package enum State: String, Sendable {
        case closed
        case open
        case halfOpen
    }

    /// The right to make one call, to be reported.
    package struct Ticket: Sendable {
        fileprivate let generation: UInt64
    }

    /// The answer to a call that wants to be made.
    package enum Admission: Sendable {
        case admitted(Ticket)
        /// Not before this instant.
        case refused(until: ContinuousClock.Instant)
    }

    /// How an admitted call ended.
    package enum Outcome: Sendable {
        case success
        case failure
        /// It says nothing about the counterpart, a cancelled call for instance.
        case inconclusive
    }

    private enum Phase {
        case closed(failures: Int)
        case open(until: ContinuousClock.Instant)
        case trial(until: ContinuousClock.Instant)
        /// The trial was inconclusive: the next call is one.
        case trialDue
    }

    private let policy: Policy
    private var phase = Phase.closed(failures: 0)
    private var openDuration: Duration
    /// Counts changes of state, and trials, so that late reports are recognised.
    private var generation: UInt64 = 0

    /// A closed breaker.
    package init(_ policy: Policy = Policy()) {
        self.policy = policy
        openDuration = policy.openDuration
    }

    /// What it does with calls at an instant.
    package func state(now: ContinuousClock.Instant) -> State {
        switch phase {
        case .closed: .closed
        case .open(let until): now < until ? .open : .halfOpen
        case .trial, .trialDue: .halfOpen
        }
    }

    /// Asks whether a call may be made now.
    package mutating func admit(now: ContinuousClock.Instant) -> Admission {
        switch phase {
        case .closed: break
        case .open(let until), .trial(let until):
            guard now >= until else { return .refused(until: until) }
            beginTrial(now: now)
        case .trialDue: beginTrial(now: now)
        }
        return .admitted(Ticket(generation: generation))
    }

    /// Reports how an admitted call ended.
    package mutating func report(_ outcome: Outcome, of ticket: Ticket, now: ContinuousClock.Instant) {
        guard ticket.generation == generation else { return }
        switch (phase, outcome) {
        case (.closed, .success):
            phase = .closed(failures: 0)
        case (.closed(let failures), .failure):
            if failures + 1 < policy.failuresMaximum {
                phase = .closed(failures: failures + 1)
            } else {
                openDuration = policy.openDuration
                open(now: now)
            }
        case (.trial, .success):
            generation += 1
            phase = .closed(failures: 0)
        case (.trial, .failure):
            openDuration = min(openDuration * 2, policy.openDurationMaximum)
            open(now: now)
        case (.trial, .inconclusive):
            phase = .trialDue
        case (.closed, .inconclusive), (.open, _), (.trialDue, _): break
        }
    }

    private mutating func beginTrial(now: ContinuousClock.Instant) {
        generation += 1
        phase = .trial(until: now + policy.trialDuration)
    }

    private mutating func open(now: ContinuousClock.Instant) {
        generation += 1
        phase = .open(until: now + openDuration)
    }
}
