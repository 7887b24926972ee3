import AudioStreams
import CoreMetrics
import EarshotModel
import Logging
import NIOCore

// How a connection gets its session: a new one, one that continues another, or the next one behind a switch of
// conversation (docs/adr/0009).
extension NativeSession {
    /// A request that is on its way to the registry.
    private struct Opening {
        let registration: SessionRegistration
        /// Whether it follows another session of this connection.
        let isSwitch: Bool
        let attempt: Int
    }

    /// Asks for the connection's first session.
    func begin(_ asked: NativeParameters) {
        parameters = asked
        open(asked, predecessor: asked.predecessor, first: asked.first, isSwitch: false)
    }

    private func open(
        _ asked: NativeParameters, predecessor: SessionID?, first: UInt64, isSwitch: Bool, attempt: Int = 1
    ) {
        var session = asked.session
        session.flags.insert(.numbered)
        // The conversation the device has named is the one that was closed.
        if isSwitch { session.clientConversation = nil }
        let registration = SessionRegistration(
            session: id, user: user, gateway: loop.configuration.incarnation, now: WallClock.microseconds,
            parameters: session, predecessor: predecessor, first: first)
        let opening = Opening(registration: registration, isSwitch: isSwitch, attempt: attempt)
        loop.appender.register(registration, in: partition) { [self] result in registered(result, opening) }
        loop.appender.flush(at: loop.now)
    }

    private func registered(_ result: Result<SessionRegistration.Grant, HandOffError>, _ opening: Opening) {
        switch result {
        case .failure(let error):
            logger.warning("a session was not registered", metadata: ["error": "\(error)"])
            close(.unavailable("the session could not be registered; resume later"))
        case .success(let grant):
            if let successor = grant.successor {
                follow(successor, opening)
            } else {
                granted(grant, opening)
            }
        }
    }

    /// Nothing was registered: another session continues the one that was named.
    private func follow(_ successor: SessionID, _ opening: Opening) {
        guard phase == .registering, let parameters else { return }
        // A connection that goes on with its own session and finds it continued was taken over just now.
        guard !opening.isSwitch else { return close(.takenOver) }
        guard opening.attempt < limits.resumeAttemptsMaximum else {
            return close(.unavailable("the session is being resumed elsewhere; try again later"))
        }
        open(
            parameters, predecessor: successor, first: opening.registration.first, isSwitch: false,
            attempt: opening.attempt + 1)
    }

    private func granted(_ grant: SessionRegistration.Grant, _ opening: Opening) {
        let request = opening.registration
        let previous = stream
        let audio = SessionAudio(
            SessionAudio.Registration(
                session: id, user: user, partition: partition, grant: grant, epochNonce: request.nonce,
                parameters: request.parameters),
            first: grant.from, loop: loop, owner: self, logger: logger)
        stream = audio
        loop.metrics.sessionsOpened.increment()
        guard phase == .registering else {
            // The device went, or was closed, while the registry was asked.
            appendEnd(reasonBeforeRegistration ?? .connectionLost) {}
            return
        }
        if opening.isSwitch {
            // What was appended to the session before must count, or the device has to send it again.
            guard acknowledgements.ledger?.appended == grant.from,
                previous?.nextSequence == grant.from
            else { return close(.endedElsewhere) }
            acknowledgements.stored?.succeed(id, from: grant.from)
            start(grant, opening)
        } else if let predecessor = request.predecessor, grant.isResumed {
            resume(grant, opening, predecessor)
        } else {
            acknowledgements.begin(parameters, id, next: grant.from, first: request.first)
            start(grant, opening)
        }
    }

    /// The session continues another, whose connection may still be here, half open.
    private func resume(_ grant: SessionRegistration.Grant, _ opening: Opening, _ predecessor: SessionID) {
        loop.metrics.sessionsResumed.increment()
        loop.takeOver(predecessor)
        acknowledgements.begin(parameters, id, next: grant.from, first: opening.registration.first)
        loop.appender.askLink(of: predecessor, in: partition) { [self] result in
            guard phase == .registering else { return }
            guard case .success(let link) = result else {
                return close(.unavailable("the session could not be resumed; try again later"))
            }
            if let capture = link?.capture {
                captureClock = makeCaptureClock()
                captureClock?.resume(at: capture, now: loop.wallClock)
            }
            if let link { learnChain(predecessor, link, end: grant.from, first: opening.registration.first) }
            listen(to: predecessor)
            onceOnDisk(grant) { [self] in start(grant, opening) }
        }
        loop.appender.flush(at: loop.now)
    }

    /// What `session` says is there need not be sent again: it has to be as safe as what is acknowledged.
    private func onceOnDisk(_ grant: SessionRegistration.Grant, _ start: @escaping () -> Void) {
        let isAsked = loop.storeDurability == .diskLater || loop.storeDurability == nil
        guard isAsked, (parameters?.durability ?? .fsynced) >= .fsynced else { return start() }
        loop.appender.whenOnDisk { [self] answer in
            guard phase == .registering else { return }
            switch answer {
            case .onDisk: acknowledgements.ledger?.onDisk(below: grant.from)
            case .refused: break
            case .notYet: return close(.unavailable("the store does not get to its disk; try again later"))
            }
            start()
        }
    }

    /// The device may send.
    private func start(_ grant: SessionRegistration.Grant, _ opening: Opening) {
        captureClock = captureClock ?? makeCaptureClock()
        loop.registered(self, as: id)
        phase = .streaming
        isIntroduced = true
        send(
            text: NativeMessage.session(
                id, conversation: grant.conversation, isResumed: opening.isSwitch || grant.isResumed,
                next: grant.from, durability: currentPromise.durability))
        if !opening.isSwitch { send(text: NativeMessage.status(isReading: true)) }
        applyReading()
        let waiting = early
        early = []
        for data in waiting { audio(data) }
        if loop.isDraining { drain(comingAgain: nil) }
    }

    private func makeCaptureClock() -> CaptureClock? {
        parameters.map {
            CaptureClock(sampleRate: $0.session.sampleRate, gapMinimum: limits.captureGapMinimum)
        }
    }

    /// Its conversation was closed for silence: the session ends, and the next one continues it on the same socket.
    func conversationWasClosed() {
        guard phase == .streaming, let old = stream, let parameters else { return }
        phase = .registering
        applyReading()
        listen(to: id, results)
        old.end(.conversationClosed) {}
        let predecessor = id
        id = .new(at: WallClock.microseconds)
        results = ResultSequence()
        logger[metadataKey: "session.id"] = "\(id)"
        loop.metrics.conversationSwitches.increment()
        open(parameters, predecessor: predecessor, first: old.nextSequence, isSwitch: true)
    }
}
