import AudioStreams
import CoreMetrics
import DequeModule
import EarshotModel
import Logging
import NIOCore
import NIOWebSocket

/// A back end's connection on `/v1/trigger/listen`, from the upgrade to the close.
///
/// Messages are taken one after another; while the registry is asked for a session they wait, and the socket is not
/// read. What each message does stands in `BackendSession+Messages.swift`, how a connection ends in
/// `BackendSession+Closing.swift`. What was read is taken to its end also when the connection is gone.
final class BackendSession: ChannelInboundHandler, GatewayConnection, SessionAudio.Owner {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// What has been reached.
    enum Phase: Equatable {
        case open
        /// Our close frame is sent; what the peer had sent before it saw that is still taken.
        case leaving(EndReason)
        /// Nothing more is taken.
        case over
    }

    let loop: GatewayLoop
    let logger: Logger
    let user: UserID
    let partition: Partition
    private let admitted: AdmittedBackend
    var phase = Phase.open
    var channel: (any Channel)?

    private var assembler: MessageAssembler
    /// Messages that wait for the registry; the socket is not read meanwhile, so there is one read's worth.
    private var inbox: Deque<ByteBuffer> = []
    var isRegistering = false
    /// How the connection ends, once what was read is taken, and whom to tell.
    var ending: (reason: EndReason, completions: [() -> Void])?

    var binding = ConversationBinding()
    /// Conversations that had a session on this connection.
    var conversations = OpenedConversations()
    /// The session that takes audio and transcripts now.
    var feed: BackendFeed?
    var timeline: BackendTimeline?
    /// Audio that waits for its conversation, or for the registry.
    var held = HeldPieces()
    /// Transcripts that wait for the registry.
    var transcripts: [BackendTranscript] = []

    /// Time without a message while the socket was being read.
    private var silence: Duration = .zero
    private var lastVisitAt: NIODeadline

    var limits: Limits { loop.configuration.limits }
    var isStrict: Bool { loop.configuration.backend.isStrict }

    init(loop: GatewayLoop, admitted: AdmittedBackend) {
        self.loop = loop
        self.admitted = admitted
        user = admitted.user
        partition = Partition(of: admitted.user, count: loop.configuration.partitions)
        assembler = MessageAssembler(messageBytesMaximum: loop.configuration.limits.backendMessageBytesMaximum)
        lastVisitAt = loop.now
        var logger = loop.logger
        logger[metadataKey: "door"] = "backend"
        self.logger = logger
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        channel = context.channel
        loop.metrics.connectionsAccepted.increment()
        loop.metrics.backendConnections.increment()
        loop.opened(self)
        switch admitted.parameters {
        case .success(let parameters):
            timeline = BackendTimeline(
                sampleRate: parameters.sampleRate, isExact: parameters.hasTimeline, limits: limits)
            guard !loop.isDraining else { return drain(comingAgain: nil) }
            if parameters.hasTimeline { send(binary: BackendAnswer.timelineAcknowledgement) }
            applyReading()
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
            close(.violation(.messageTooLarge, "messages may have at most \(limits.backendMessageBytesMaximum) bytes"))
        // Behind a malformed frame nothing can be read; the close frame goes out, and the close time-out cuts.
        case is ByteToMessageDecoderError: break
        case is NIOWebSocketError: close(.violation(.protocolError, "malformed frame"))
        default: context.close(promise: nil)
        }
    }

    private func receive(_ event: MessageAssembler.Event) {
        switch event {
        case .ping(let data):
            if phase == .open { send(WebSocketFrame(fin: true, opcode: .pong, data: data)) }
            return
        case .pong: return
        case .close(let code): return peerClosed(code)
        case .violation(let code, let reason): return close(.violation(code, reason))
        case .binary, .text, .incomplete: break
        }
        // Pings do not count: a sender whose loop stands still answers and sends them all the same.
        silence = .zero
        guard phase != .over else { return }
        switch event {
        case .binary(let message):
            inbox.append(message)
            pump()
        case .text: violated(BackendViolation(.text, "all messages are binary"))
        default: break
        }
    }

    // MARK: Order

    /// Takes what was read as far as it can be taken now, and ends the connection behind it.
    func pump() {
        while !isRegistering, let message = inbox.popFirst() { take(message) }
        if !isRegistering { endIfDue() }
    }

    /// What waits is given up: it broke a rule, or the store refuses it.
    func clearInbox() { inbox = [] }

    // MARK: Time

    func visit(at now: NIODeadline) {
        let elapsed = now - lastVisitAt
        lastVisitAt = now
        feed?.audio.visit(at: now)
        guard phase == .open else { return }
        if held.isOverdue(at: now, limits: limits) { settle() }
        guard loop.isReading, !isRegistering else { return }
        silence += .nanoseconds(elapsed.nanoseconds)
        if silence >= limits.backendSilenceMaximum { close(.silent) }
    }

    func readingChanged(pause: Int64) { applyReading() }

    func applyReading() {
        let shouldRead = phase == .over || (loop.isReading && !isRegistering)
        channel?.setOption(.autoRead, value: shouldRead).whenFailure { _ in }
    }

    // MARK: Writing

    func send(binary message: ByteBuffer) { send(WebSocketFrame(fin: true, opcode: .binary, data: message)) }
}
