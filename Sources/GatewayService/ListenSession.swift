import AudioStreams
import CoreMetrics
import EarshotModel
import Logging
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// One device's connection on `/v4/listen` or `/v4/web/listen`, from the upgrade to the close.
///
/// Frames go through `SessionAudio`; nothing is awaited on behalf of the connection. Close codes are chosen in
/// `ListenSession+Closing.swift`, results delivered in `ListenSession+Results.swift`.
final class ListenSession: ChannelInboundHandler, GatewayConnection, SessionAudio.Owner {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// What has been reached.
    enum Phase {
        /// The web path's first message is awaited.
        case authenticating
        /// The registry is asked.
        case registering
        /// Audio is taken.
        case streaming
        /// A close frame is due or sent; audio is no longer taken.
        case closing
        /// The channel is gone.
        case closed
    }

    let loop: GatewayLoop
    let admitted: AdmittedListen
    let admission: ListenAdmission
    var id: SessionID
    var phase = Phase.authenticating
    var channel: (any Channel)?
    var logger: Logger

    private var assembler: MessageAssembler
    private(set) var user: UserID?
    private(set) var parameters: ListenParameters?
    /// The session's audio, once it is registered.
    var stream: SessionAudio?
    var registration: SessionAudio.Registration? { stream?.registration }
    /// Messages that came before the session was registered; reading stops meanwhile, so there is one read's worth.
    private var early: [MessageAssembler.Event] = []

    private var captureClock: CaptureClock?

    private let openedAt: NIODeadline
    private var lastPingAt: NIODeadline
    /// Time without a message while the socket was being read.
    private var silence: Duration = .zero
    private var lastVisitAt: NIODeadline
    /// Why the session ended before the registry had answered.
    var reasonBeforeRegistration: EndReason?
    /// Whether it is not read because it holds more than it may.
    private var isOverfull = false
    var results = ResultSequence()
    /// Set once the connection has switched conversations.
    var earlier: Earlier?
    /// Requests for samples in the present minute.
    var samplesAsked: (count: Int, since: NIODeadline)

    private var limits: Limits { loop.configuration.limits }

    init(loop: GatewayLoop, admitted: AdmittedListen, admission: ListenAdmission) {
        self.loop = loop
        self.admitted = admitted
        self.admission = admission
        id = .new(at: WallClock.microseconds)
        assembler = MessageAssembler(messageBytesMaximum: loop.configuration.limits.messageBytesMaximum)
        openedAt = loop.now
        lastPingAt = loop.now
        lastVisitAt = loop.now
        samplesAsked = (0, loop.now)
        logger = loop.logger
        logger[metadataKey: "session.id"] = "\(id)"
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        channel = context.channel
        loop.metrics.connectionsAccepted.increment()
        loop.opened(self)
        if let user = admitted.user {
            if admitted.path == .web { send(text: ListenMessage.authResponse(success: true)) }
            begin(for: user)
        } else {
            applyReading()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        receive(assembler.receive(unwrapInboundIn(data)))
    }

    func channelInactive(context: ChannelHandlerContext) {
        vanished()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case NIOWebSocketError.invalidFrameLength:
            close(.violation(.messageTooLarge, "messages may have at most \(limits.messageBytesMaximum) bytes"))
        // Behind a malformed frame nothing can be read; the close frame goes out, and the close time-out cuts.
        case is ByteToMessageDecoderError: break
        case is NIOWebSocketError: close(.violation(.protocolError, "malformed frame"))
        default: context.close(promise: nil)
        }
    }

    private func receive(_ event: MessageAssembler.Event) {
        switch event {
        case .incomplete, .pong: break
        case .ping(let data): send(WebSocketFrame(fin: true, opcode: .pong, data: data))
        // Behind what it sent in the same breath.
        case .close where phase == .registering: early.append(event)
        case .close(let code): peerClosed(code)
        case .violation(let code, let reason): close(.violation(code, reason))
        case .binary, .text:
            // Only messages end silence: pings say no more than that the network is there.
            silence = .zero
            message(event)
        }
    }

    private func message(_ event: MessageAssembler.Event) {
        switch (phase, event) {
        case (.streaming, .binary(let data)): audio(data)
        case (.streaming, .text(let text)): self.text(text)
        case (.authenticating, .text(let text)): authenticate(text)
        case (.authenticating, .binary):
            refuseAuthentication("the first message must be text: {\"type\":\"auth\",\"token\":TOKEN}")
        case (.registering, _): early.append(event)
        default: break
        }
    }

    // MARK: Start

    private func authenticate(_ text: String) {
        guard case .auth(let token) = ClientMessage(parsing: text) else {
            return refuseAuthentication("the first message must be {\"type\":\"auth\",\"token\":TOKEN}")
        }
        phase = .registering
        applyReading()
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        loop.eventLoop.makeFutureWithTask { [admission] in try await admission.user(of: token) }
            .flatMap { user in bound.value.loop.admit(user).map { user } }
            .whenComplete { result in
                let session = bound.value
                guard session.phase == .registering else { return }
                switch result {
                case .success(let user):
                    session.send(text: ListenMessage.authResponse(success: true))
                    session.begin(for: user)
                case .failure(let error): session.authenticationFailed(error)
                }
            }
    }

    private func authenticationFailed(_ error: any Error) {
        guard let refusal = error as? UpgradeRefusal, refusal.status != .unauthorized else {
            return refuseAuthentication((error as? UpgradeRefusal)?.message ?? "the token could not be checked")
        }
        loop.metrics.refused(refusal.reason)
        close(.unavailable(refusal.message))
    }

    private func refuseAuthentication(_ reason: String) {
        loop.metrics.refused("token")
        send(text: ListenMessage.authResponse(success: false))
        close(.notAuthenticated(reason))
    }

    /// The user is known: say so, check what was asked for, and register.
    private func begin(for user: UserID) {
        self.user = user
        phase = .registering
        applyReading()
        let parameters: ListenParameters
        switch admitted.parameters {
        case .success(let asked): parameters = asked
        case .failure(.close(let code, let reason)):
            loop.metrics.refused("parameters")
            return close(.notServed(code, reason))
        case .failure(.malformed(let reason)): return close(.notServed(.policy, reason))
        }
        self.parameters = parameters
        for feature in parameters.ignoredFeatures { loop.metrics.ignored(feature) }
        send(text: ListenMessage.serviceStatus(.initiating))
        register(parameters, user)
    }

    /// Asks for a session under the present id.
    func register(_ parameters: ListenParameters, _ user: UserID) {
        var asked = parameters.session
        // The conversation the device has named is the one that was closed.
        if earlier != nil { asked.clientConversation = nil }
        let registration = SessionRegistration(
            session: id, user: user, gateway: loop.configuration.incarnation, now: WallClock.microseconds,
            parameters: asked)
        let partition = Partition(of: user, count: loop.configuration.partitions)
        loop.appender.register(registration, in: partition) { [self] result in
            registered(result, registration, partition)
        }
        loop.appender.flush(at: loop.now)
    }

    private func registered(
        _ result: Result<SessionRegistration.Grant, HandOffError>, _ request: SessionRegistration,
        _ partition: Partition
    ) {
        guard case .success(let grant) = result else {
            if case .failure(let error) = result {
                logger.warning("a session was not registered", metadata: ["error": "\(error)"])
            }
            return close(.unavailable("the session could not be registered; try again"))
        }
        stream = SessionAudio(
            SessionAudio.Registration(
                session: id, user: request.user, partition: partition, grant: grant, epochNonce: request.nonce,
                parameters: request.parameters),
            loop: loop, owner: self, logger: logger)
        loop.metrics.sessionsOpened.increment()
        captureClock =
            captureClock
            ?? CaptureClock(sampleRate: request.parameters.sampleRate, gapMinimum: limits.captureGapMinimum)
        let waiting = early
        early = []
        guard phase == .registering else {
            return endLate(waiting)
        }
        loop.registered(self, as: id)
        phase = .streaming
        if earlier == nil { send(text: ListenMessage.serviceStatus(.inProgressConversationsProcessing)) }
        send(text: ListenMessage.conversationSession(conversation: grant.conversation, recordingSession: id))
        if earlier == nil {
            send(text: ListenMessage.serviceStatus(.sttInitiating))
            send(text: ListenMessage.serviceStatus(.ready))
        }
        applyReading()
        for event in waiting { receive(event) }
        if loop.isDraining { drain(comingAgain: nil) }
    }

    /// The device went, or was closed, while the registry was asked: what it had sent is kept, and so is its close.
    private func endLate(_ waiting: [MessageAssembler.Event]) {
        var reason = reasonBeforeRegistration ?? .connectionLost
        var isNormal = false
        for event in waiting {
            switch event {
            case .binary(let data): audio(data)
            case .close(let code):
                reason = .clientClosed
                isNormal = code == CloseCode.normal.rawValue
            default: break
            }
        }
        appendEnd(reason) { [stream] in
            if isNormal { stream?.completeAtOnce() }
        }
    }

    // MARK: Messages

    private func audio(_ data: ByteBuffer) {
        guard let stream else { return }
        let parameters = stream.registration.parameters
        loop.metrics.messages.increment()
        loop.metrics.bytes.increment(by: data.readableBytes)
        guard data.readableBytes > limits.keepAliveBytesMaximum else {
            (data.readableBytes == 0 ? loop.metrics.emptyMessages : loop.metrics.keepAlives).increment()
            return
        }
        let view = data.readableBytesView
        let samples = parameters.codec.samples(
            first: view.first, second: view.dropFirst().first, byteCount: view.count,
            sampleRate: parameters.sampleRate)
        if samples == 0 { loop.metrics.illegalPackets.increment() }
        let capture = captureClock?.advance(samples: samples, arrival: loop.wallClock) ?? loop.wallClock
        stream.append(data, samples: samples, capture: capture)
        watchMemory()
    }

    private func text(_ text: String) {
        switch ClientMessage(parsing: text) {
        case .auth, .unknown: loop.metrics.unknownText.increment()
        case .speakerAssigned(let assignment): assign(assignment)
        case .ignored(let type): loop.metrics.ignored(type)
        case .notJSON: loop.metrics.notJSON.increment()
        }
    }

    // MARK: Appending

    func audioWasRefused() { close(.unavailable("the store cannot take audio now; try again")) }

    /// Appends what waits and the end marker behind it; `completion` runs when that is in Redis.
    func appendEnd(_ reason: EndReason, completion: @escaping () -> Void) {
        guard let stream else {
            reasonBeforeRegistration = reasonBeforeRegistration ?? reason
            return completion()
        }
        stream.end(reason, completion: completion)
    }

    // MARK: Time

    /// Once a second: the ping, and the clocks that close.
    func visit(at now: NIODeadline) {
        let elapsed = now - lastVisitAt
        lastVisitAt = now
        switch phase {
        case .authenticating:
            if now - openedAt >= TimeAmount(limits.firstMessageTimeout) {
                refuseAuthentication("no first message came in time")
            }
        case .streaming, .registering:
            if now - lastPingAt >= TimeAmount(limits.pingInterval) {
                // From the ping that was due, so that the period does not grow by what each visit is late.
                lastPingAt = lastPingAt + TimeAmount(limits.pingInterval)
                send(text: ListenMessage.ping)
            }
            if phase == .streaming { stream?.visit(at: now) }
            guard isReading else { break }
            silence += .nanoseconds(elapsed.nanoseconds)
            if silence >= limits.inactivityTimeout { close(.inactive) }
        case .closing, .closed: break
        }
    }

    /// The loop began or ceased to read its sockets.
    func readingChanged(pause: Int64) {
        if pause > 0 { captureClock?.paused(for: pause) }
        applyReading()
    }

    private var isReading: Bool { phase == .streaming && loop.isReading && !isOverfull }

    /// Stops or starts to read when what waits for Redis passes its bound: who sends faster than the store takes it
    /// holds up nobody else.
    private func watchMemory() {
        let isOver = (stream?.heldBytes ?? 0) > limits.sessionHeldBytesMaximum
        guard isOver != isOverfull else { return }
        isOverfull = isOver
        applyReading()
    }

    func tailHeld(_ covered: SessionAudio.Covered) { watchMemory() }

    func applyReading() {
        let shouldRead = phase == .authenticating || phase == .closing || isReading
        channel?.setOption(.autoRead, value: shouldRead).whenFailure { _ in }
    }

    // MARK: Writing

    func send(text: String) {
        send(WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: text)))
    }
}
