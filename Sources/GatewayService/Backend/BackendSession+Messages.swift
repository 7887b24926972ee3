import AudioStreams
import CoreMetrics
import EarshotModel
import Logging
import NIOCore
import NIOWebSocket

// What each message of a back end does.
extension BackendSession {
    func take(_ message: ByteBuffer) {
        loop.metrics.messages.increment()
        loop.metrics.bytes.increment(by: message.readableBytes)
        guard message.readableBytes <= limits.backendJSONBytesMaximum || BackendMessage.isAudio(message) else {
            clearInbox()
            let maximum = limits.backendJSONBytesMaximum
            return close(.violation(.messageTooLarge, "messages but audio may have at most \(maximum) bytes"))
        }
        do throws(BackendViolation) {
            switch try BackendMessage(parsing: message) {
            case .heartbeat: loop.metrics.backendHeartbeats.increment()
            case .audio(let time, let pcm): try audio(time, pcm)
            case .transcript(let transcript): try self.transcript(transcript)
            case .conversation(let name):
                if binding.announce(name) { bind() }
            case .process(let request): try process(request)
            case .sample(let request): sample(request)
            }
        } catch {
            // Whoever cannot name a conversation must not go on: what follows would go to the one before.
            violated(error, isFatal: BackendMessage.isConversation(message))
        }
    }

    /// A rule is broken: the newest generation closes, those before go on.
    func violated(_ violation: BackendViolation, isFatal: Bool = false) {
        loop.metrics.backendViolation(violation.rule)
        logger.debug("a message broke a rule", metadata: ["rule": "\(violation.rule.rawValue)"])
        guard isStrict || isFatal else { return }
        clearInbox()
        close(.notServed(.unsupported, violation.message))
    }

    // MARK: Audio

    private func audio(_ time: Int64?, _ pcm: ByteBuffer) throws(BackendViolation) {
        var pcm = pcm
        if time == nil {
            let violation = BackendViolation(.time, "a timestamp must be Unix seconds from 1970 to 9999")
            if isStrict { throw violation }
            violated(violation)
        }
        if pcm.readableBytes % 2 == 1 {
            // Each message begins with a whole sample, so half a sample at its end belongs to nothing.
            pcm.moveWriterIndex(to: pcm.writerIndex - 1)
            loop.metrics.backendOddBytes.increment()
        }
        guard let accepted = timeline?.accept(time: time, pcm: pcm, arrival: loop.wallClock) else { return }
        if let overlap = accepted.overlap { loop.metrics.backendOverlap(overlap) }
        guard let piece = accepted.piece, piece.pcm.readableBytes > 0 else { return }
        held.append(piece, at: loop.now)
        settle()
    }

    /// Brings what is held to its session, and opens one where it can be known which.
    func settle() {
        guard !isRegistering else { return }
        if feed == nil, let name = binding.conversation {
            if !held.isEmpty || !transcripts.isEmpty { open(name) }
        } else if feed == nil, held.isOverdue(at: loop.now, limits: limits) || !transcripts.isEmpty || ending != nil {
            guard !held.isEmpty || !transcripts.isEmpty else { return }
            loop.metrics.backendUnbound.increment()
            open(nil)
        }
        guard let feed else { return }
        for piece in held.takeAll() { feed.append(piece) }
        while let transcript = transcripts.first {
            if let name = transcript.conversation, !conversations.knows(name.text) { return open(name, isAside: true) }
            transcripts.removeFirst()
            append(transcript, to: feed)
        }
    }

    // MARK: Conversations

    /// Follows the binding: ends the session of another conversation, and opens one of this.
    private func bind() {
        guard let name = binding.conversation, feed?.conversation != name.text else { return }
        endFeed(.clientClosed)
        open(name)
    }

    /// Registers a session; without a name in the user's open conversation.
    ///
    /// One aside is for the first transcript that waits alone: its conversation is not the one of the audio, and may
    /// never have been announced to anybody.
    private func open(_ name: ConversationName?, isAside: Bool = false) {
        isRegistering = true
        applyReading()
        let now = WallClock.microseconds
        var request = SessionRegistration(
            session: .new(at: now), user: user, gateway: loop.configuration.incarnation, now: now,
            parameters: SessionParameters(
                codec: .pcm16, sampleRate: timeline?.sampleRate ?? BackendParameters.sampleRates.lowerBound,
                conversationTimeout: limits.conversationTimeoutDefault, source: "backend", flags: []))
        request.boundConversation = name?.text
        loop.appender.register(request, in: partition) { [self, request] result in
            registered(result, request, isAside: isAside)
        }
        loop.appender.flush(at: loop.now)
    }

    private func registered(
        _ result: Result<SessionRegistration.Grant, HandOffError>, _ request: SessionRegistration, isAside: Bool
    ) {
        isRegistering = false
        switch result {
        case .success(let grant):
            loop.metrics.sessionsOpened.increment()
            let audio = SessionAudio(
                SessionAudio.Registration(
                    session: request.session, user: user, partition: partition, grant: grant,
                    epochNonce: request.nonce, parameters: request.parameters),
                loop: loop, owner: self, logger: logger)
            let opened = BackendFeed(audio, beganAt: request.now, frameBytes: limits.backendFrameBytes)
            conversations.add(opened.conversation)
            if isAside {
                if !transcripts.isEmpty { append(transcripts.removeFirst(), to: opened) }
                audio.end(.clientClosed) {}
            } else {
                feed = opened
            }
            settle()
        case .failure(let error):
            logger.error("a session was not registered", metadata: ["error": "\(error)"])
            loop.metrics.framesLost.increment(by: held.takeAll().count)
            loop.metrics.backendEventsLost.increment(by: transcripts.count)
            transcripts = []
            clearInbox()
            close(.unavailable("the session could not be registered; try again"))
        }
        applyReading()
        pump()
    }

    /// Ends the present session, if there is one; what it holds is appended before its end.
    func endFeed(_ reason: EndReason, completion: @escaping () -> Void = {}) {
        guard let feed else { return completion() }
        self.feed = nil
        feed.audio.end(reason, completion: completion)
    }

    private func process(_ request: BackendProcess) throws(BackendViolation) {
        if request.isMistyped {
            let violation = BackendViolation(.json, "the fields of a 104 must have the contract's types")
            if isStrict { throw violation }
            violated(violation)
        }
        if isStrict, !request.isDurable { return answer(BackendAnswer.failed(request, .durableJobRequired)) }
        guard let name = ConversationName(request.conversation) else {
            return answer(BackendAnswer.failed(request, .conversationNotFound))
        }
        // Audio that follows belongs to the conversation announced last, as it does upstream.
        if feed?.conversation == name.text { endFeed(.clientClosed) }
        loop.appender.closeConversation(
            name.text, of: user, in: partition, now: WallClock.microseconds, language: request.language
        ) { [self] result in
            switch result {
            case .success(true):
                loop.metrics.backendCompletions.increment()
                answer(BackendAnswer.completed(request))
            case .success(false): answer(BackendAnswer.failed(request, .conversationNotFound))
            case .failure(let error):
                logger.error("a conversation was not completed", metadata: ["error": "\(error)"])
                answer(BackendAnswer.failed(request, .processingFailed))
            }
        }
    }

    private func answer(_ message: ByteBuffer) {
        // Nothing may follow a close frame; the sender asks again on its next connection.
        if phase == .open { send(binary: message) }
    }

    // MARK: Transcripts and samples

    private func transcript(_ transcript: BackendTranscript) throws(BackendViolation) {
        if transcript.malformed > 0 {
            let violation = BackendViolation(.json, "segments must be objects with a text")
            if isStrict { throw violation }
            violated(violation)
        }
        if let name = transcript.conversation { binding.fallBack(to: name) }
        if !transcript.segments.isEmpty { transcripts.append(transcript) }
        if feed != nil, binding.conversation != nil { bind() }
        settle()
    }

    private func append(_ transcript: BackendTranscript, to feed: BackendFeed) {
        let registration = feed.audio.registration
        for part in transcript.parts(of: limits.backendEventSegmentsMaximum) {
            let event = feed.event(of: part, time: WallClock.microseconds)
            loop.appender.appendEvent(
                event, session: registration.session, epoch: registration.grant.epoch, in: partition
            ) { [self] result in
                switch result {
                case .success(.holds), .success(.conversationClosed): loop.metrics.backendEvents.increment()
                case .success(.lost): again(part, after: feed)
                case .failure(let error):
                    loop.metrics.backendEventsLost.increment()
                    logger.error("a transcript was refused", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    /// The session was ended elsewhere: a transcript that it does not take any more goes to a new one.
    private func again(_ transcript: BackendTranscript, after lost: BackendFeed) {
        if feed === lost { feed = nil }
        transcripts.append(transcript.bound(to: transcript.conversation ?? ConversationName(lost.conversation)))
        settle()
        pump()
    }

    private func sample(_ request: BackendSample) {
        let now = WallClock.microseconds
        let queued = SpeakerSampleRequest(
            user: user, conversation: request.conversation.text, person: request.person, personName: nil,
            segments: request.segments, at: now)
        loop.appender.requestSample(queued, in: partition) { [self] result in
            guard case .failure(let error) = result else { return loop.metrics.samplesRequested.increment() }
            loop.metrics.samplesLost.increment()
            logger.error("a request for a sample was refused", metadata: ["error": "\(error)"])
        }
    }
}
