import AudioStreams
import CoreMetrics
import EarshotModel
import Logging
import NIOCore
import NIOWebSocket

/// One device's connection on `/v1/stream` (docs/protocol.md), from the upgrade to the close.
///
/// Nothing is awaited on behalf of the connection. How its session is opened stands in `NativeSession+Opening.swift`,
/// what the device is told of its messages in `+Acknowledging`, how it closes in `+Closing`, results in `+Results`.
final class NativeSession: ChannelInboundHandler, LiveResultReceiver, SessionAudio.Owner {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// What has been reached.
    enum Phase {
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
    let user: UserID
    let partition: Partition
    private let admitted: AdmittedNative
    var phase = Phase.registering
    var channel: (any Channel)?
    var logger: Logger

    private var assembler: MessageAssembler
    /// The present session, which its device resumes by.
    var id: SessionID
    /// What the device asked for, once it is known to be served.
    var parameters: NativeParameters?
    var stream: SessionAudio?
    var captureClock: CaptureClock?
    /// Audio that came while the next session was being registered; reading stops, so there is one read's worth.
    var early: [ByteBuffer] = []
    /// Why the session ended before the registry had answered.
    var reasonBeforeRegistration: EndReason?

    var acknowledgements = Acknowledgements()
    var results = ResultSequence()
    /// The session before this one, whose last results may still come.
    var earlier: Earlier?
    /// Why it closes, once it does.
    var ending: Ending?

    private var lastPingAt: NIODeadline
    private var lastVisitAt: NIODeadline
    /// Time without a message, and without any frame, while the socket was being read.
    private var silence: Duration = .zero
    private var absence: Duration = .zero
    /// Since when it holds more than it may.
    private var overfullSince: NIODeadline?
    /// What the device was told last.
    private var isToldReading = true
    /// Whether the device has been told `session`: from then on its messages have numbers.
    var isIntroduced = false

    var limits: Limits { loop.configuration.limits }

    init(loop: GatewayLoop, admitted: AdmittedNative) {
        self.loop = loop
        self.admitted = admitted
        user = admitted.user
        partition = Partition(of: admitted.user, count: loop.configuration.partitions)
        id = .new(at: WallClock.microseconds)
        assembler = MessageAssembler(messageBytesMaximum: loop.configuration.limits.messageBytesMaximum)
        lastPingAt = loop.now
        lastVisitAt = loop.now
        logger = loop.logger
        logger[metadataKey: "session.id"] = "\(id)"
        logger[metadataKey: "door"] = "native"
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        channel = context.channel
        loop.metrics.connectionsAccepted.increment()
        loop.opened(self)
        applyReading()
        switch admitted.parameters {
        case .success(let asked): begin(asked)
        case .failure(.close(let code, let reason)):
            loop.metrics.refused("parameters")
            close(.notServed(code, reason))
        case .failure(.malformed(let reason)): close(.notServed(.policy, reason))
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
        absence = .zero
        switch event {
        case .incomplete, .pong: break
        case .ping(let data): send(WebSocketFrame(fin: true, opcode: .pong, data: data))
        case .close(let code): peerClosed(code)
        case .violation(let code, let reason): close(.violation(code, reason))
        case .binary(let data):
            silence = .zero
            message(data)
        case .text:
            silence = .zero
            loop.metrics.unknownText.increment()
        }
    }

    // MARK: Messages

    private func message(_ data: ByteBuffer) {
        switch phase {
        case .streaming: audio(data)
        case .registering where !isIntroduced:
            close(.violation(.protocolError, "no message has a number before the server has said: session"))
        case .registering: early.append(data)
        case .closing, .closed: break
        }
    }

    /// Takes in the next message; an empty one is a frame without sound.
    func audio(_ data: ByteBuffer) {
        guard let stream else { return }
        let parameters = stream.registration.parameters
        loop.metrics.messages.increment()
        loop.metrics.bytes.increment(by: data.readableBytes)
        let view = data.readableBytesView
        let samples = parameters.codec.samples(
            first: view.first, second: view.dropFirst().first, byteCount: view.count,
            sampleRate: parameters.sampleRate)
        if view.isEmpty {
            loop.metrics.emptyMessages.increment()
        } else if samples == 0 {
            loop.metrics.illegalPackets.increment()
        }
        let capture = captureClock?.advance(samples: samples, arrival: loop.wallClock) ?? loop.wallClock
        stream.append(data, samples: samples, capture: capture)
        acknowledgements.ledger?.received = stream.nextSequence
        watchMemory()
    }

    // MARK: Time

    /// Once a second: what is owed to the device, and the clocks that close.
    func visit(at now: NIODeadline) {
        let elapsed = Duration.nanoseconds((now - lastVisitAt).nanoseconds)
        lastVisitAt = now
        guard phase == .streaming || phase == .registering else { return }
        if now - lastPingAt >= TimeAmount(limits.pingInterval) {
            lastPingAt = lastPingAt + TimeAmount(limits.pingInterval)
            send(WebSocketFrame(fin: true, opcode: .ping, data: ByteBuffer()))
        }
        fetchEarlierResults(at: now)
        guard phase == .streaming else { return }
        stream?.visit(at: now)
        acknowledge()
        tellReading()
        if let overfullSince, now - overfullSince >= TimeAmount(limits.nativeHeldTimeMaximum) {
            return close(.overloaded)
        }
        guard isReading else { return }
        silence += elapsed
        absence += elapsed
        if absence >= limits.deadPeerTimeout {
            loop.metrics.deadPeers.increment()
            logger.notice("the peer answers no ping; its connection is cut")
            abort()
        } else if silence >= limits.inactivityTimeout {
            close(.inactive)
        }
    }

    // MARK: Reading

    private var isReading: Bool { phase == .streaming && loop.isReading && overfullSince == nil }

    /// Stops or starts to read when what waits for Redis passes its bound.
    func watchMemory() {
        let isOverfull = (stream?.heldBytes ?? 0) > limits.sessionHeldBytesMaximum
        guard isOverfull != (overfullSince != nil) else { return }
        overfullSince = isOverfull ? loop.now : nil
        applyReading()
    }

    /// The loop began or ceased to read its sockets.
    func readingChanged(pause: Int64) {
        if pause > 0 { captureClock?.paused(for: pause) }
        applyReading()
    }

    func applyReading() {
        // A message that comes too early is read, too, and closes the connection.
        let shouldRead = phase == .closing || isReading || (phase == .registering && !isIntroduced)
        channel?.setOption(.autoRead, value: shouldRead).whenFailure { _ in }
    }

    /// Tells the device when it is held up, and when it is no more; looked at once a second, so that a hiccup of Redis
    /// is no message to everybody.
    private func tellReading() {
        guard isReading != isToldReading else { return }
        isToldReading = isReading
        send(text: NativeMessage.status(isReading: isReading))
    }

    // MARK: Writing

    func send(text: String) {
        send(WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: text)))
    }
}
