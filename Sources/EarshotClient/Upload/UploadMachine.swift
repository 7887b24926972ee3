import NIOCore

/// Decides what a resuming upload does next: no I/O, no clock, and no dice of its own.
///
/// The caller tells it what happens, with the time, and does what `step` says. The state chart stands in
/// docs/protocol.md.
struct UploadMachine {
    typealias Instant = ContinuousClock.Instant

    /// What is to be done next.
    enum Step: Equatable {
        /// Connect, to go on with a session if there is one, naming the oldest message that is there.
        case connect(session: String?, from: UInt64)
        case send(ByteBuffer)
        /// Nothing until something happens, at the latest until then.
        case wait(until: Instant?)
        /// Close in order.
        case close
        /// The connection is dead: drop it.
        case abandon
        case finish(UploadOutcome)
    }

    /// How patient the upload is.
    struct Rules {
        /// How long it goes on without any session before it gives up.
        var patience = Duration.seconds(600)
        /// How long it waits for acknowledgements when all is sent.
        var settling = Duration.seconds(120)
        /// It stays until no result has come for so long, and `lingerMax` in all.
        var linger = Duration.zero
        var lingerMax = Duration.zero
        var heldBytesMax = UploadLimits.heldBytesMax
        var heldFramesMax = UploadLimits.heldFramesMax
    }

    private enum Phase: Equatable {
        case idle(until: Instant)
        case connecting
        /// Connected; `session` is awaited.
        case greeting(since: Instant)
        case streaming
        /// Our close, or our drop, is on its way; the end of the connection is awaited.
        case leaving(isFinal: Bool)
        case over(UploadOutcome)
    }

    private let rules: Rules
    private var phase: Phase
    private var ring: UploadRing
    /// Number of the next message to send on this connection.
    private var sent: UInt64 = 0
    private var isSourceEnded = false
    /// When the last message was there, or acknowledged, whichever was later.
    private var settledSince: Instant
    private var lastHeard: Instant
    private var lastResult: Instant?
    private var lastSession: Instant
    private var attempts = 0
    private var retryAfter: Duration?
    private var session: String?

    /// What it adds to the report.
    private(set) var report = UploadReport()

    init(rules: Rules, at now: Instant) {
        self.rules = rules
        phase = .idle(until: now)
        ring = UploadRing(bytesMax: rules.heldBytesMax, framesMax: rules.heldFramesMax)
        settledSince = now
        lastHeard = now
        lastSession = now
    }

    // MARK: The source

    var hasRoom: Bool { ring.hasRoom }

    /// The source has one more message; ask for it only while there is room.
    mutating func offer(_ frame: UploadFrame) {
        ring.append(frame)
        report.messageCount = ring.next
        report.duration += frame.duration
    }

    mutating func sourceEnded(at now: Instant) {
        isSourceEnded = true
        settledSince = now
    }

    // MARK: The connection

    /// Whether a connection is open, or was and its end is not known yet.
    var isConnected: Bool {
        switch phase {
        case .greeting, .streaming, .leaving: true
        case .idle, .connecting, .over: false
        }
    }

    mutating func connected(at now: Instant) {
        phase = .greeting(since: now)
        lastHeard = now
        report.connectionCount += 1
    }

    /// No connection came about; `status` is the HTTP answer, if there was one.
    mutating func connectFailed(status: Int?, retryAfter: Duration?, at now: Instant, jitter: Double) {
        if let status, Self.finalStatuses.contains(status) {
            phase = .over(.refused(status: status))
            return
        }
        self.retryAfter = retryAfter.map { min($0, UploadLimits.retryAfterMax) }
        retreat(at: now, jitter: jitter)
    }

    mutating func received(_ message: UploadMessage, at now: Instant) {
        lastHeard = now
        switch message {
        case .session(let opened): sessionOpened(opened, at: now)
        case .acknowledgement(let next, let durability): acknowledged(next, durability, at: now)
        case .segments, .deleted: lastResult = now
        case .closing(_, let retryAfter): self.retryAfter = retryAfter
        case .other: break
        case .unreadable: report.unreadableCount += 1
        }
    }

    /// Sending failed: what is left is to hear why.
    mutating func sendFailed() {
        if case .leaving = phase { return }
        phase = .leaving(isFinal: false)
    }

    /// The connection is gone; `code` is the server's close code, if there was one.
    mutating func closed(code: UInt16?, at now: Instant, jitter: Double) {
        guard isConnected else { return }
        if phase == .leaving(isFinal: true), ring.isAllAcknowledged || isOverdue(at: now) {
            phase = .over(ring.isAllAcknowledged ? .completed : .unacknowledged)
            return
        }
        switch code {
        case Self.takenOverCode: phase = .over(.takenOver)
        case let code? where Self.finalCodes.contains(code): phase = .over(.closedByServer(code: code))
        default: retreat(at: now, jitter: jitter)
        }
    }

    // MARK: What next

    mutating func step(at now: Instant) -> Step {
        switch phase {
        case .over(let outcome): return .finish(outcome)
        case .connecting: return .wait(until: nil)
        case .leaving: return .wait(until: nil)
        case .idle(let until): return stepWhileIdle(until: until, at: now)
        case .greeting(let since):
            let limit = since + UploadLimits.greetingMax
            return now >= limit ? leave(isFinal: false, .abandon) : .wait(until: limit)
        case .streaming: return stepWhileStreaming(at: now)
        }
    }

    /// Whether the server owes a word and has said none for too long; a sender that is held up does not ask `step`.
    func isStalled(at now: Instant) -> Bool {
        phase == .streaming && sent > ring.acknowledged && now >= lastHeard + UploadLimits.silenceMax
    }

    private mutating func stepWhileIdle(until: Instant, at now: Instant) -> Step {
        if isSourceEnded, ring.isAllAcknowledged, now >= lingerEnd { return finish(.completed) }
        if now >= lastSession + rules.patience { return finish(.unreachable) }
        guard now >= until else { return .wait(until: min(until, lastSession + rules.patience)) }
        phase = .connecting
        ring.isPinned = true
        return .connect(session: session, from: ring.first)
    }

    private mutating func stepWhileStreaming(at now: Instant) -> Step {
        if isStalled(at: now) { return leave(isFinal: false, .abandon) }
        if let frame = ring[sent] {
            sent += 1
            report.transmissionCount += 1
            return .send(frame.payload)
        }
        let silence = sent > ring.acknowledged ? lastHeard + UploadLimits.silenceMax : nil
        guard isSourceEnded else { return .wait(until: silence) }
        let due = ring.isAllAcknowledged ? lingerEnd : settledSince + rules.settling
        guard now < due else { return leave(isFinal: true, .close) }
        return .wait(until: silence.map { min($0, due) } ?? due)
    }

    private var lingerEnd: Instant {
        min(max(lastResult ?? settledSince, settledSince) + rules.linger, settledSince + rules.lingerMax)
    }

    private func isOverdue(at now: Instant) -> Bool {
        isSourceEnded && !ring.isAllAcknowledged && now >= settledSince + rules.settling
    }

    private mutating func leave(isFinal: Bool, _ step: Step) -> Step {
        phase = .leaving(isFinal: isFinal)
        return step
    }

    private mutating func finish(_ outcome: UploadOutcome) -> Step {
        phase = .over(outcome)
        return .finish(outcome)
    }

    /// Comes again after a pause: with full jitter, so that a thousand devices do not come at once, and not before the
    /// server wants it.
    private mutating func retreat(at now: Instant, jitter: Double) {
        let ceiling = min(UploadLimits.backoffMax, UploadLimits.backoffBase * (1 << min(attempts, 16)))
        attempts += 1
        ring.isPinned = false
        phase = .idle(until: now + (retryAfter ?? .zero) + ceiling * jitter)
        retryAfter = nil
    }

    // MARK: What the server says

    private mutating func sessionOpened(_ opened: UploadMessage.Opened, at now: Instant) {
        session = opened.session
        report.add(opened)
        guard case .greeting = phase else { return }
        // It was told what is there, and asks for nothing else.
        guard (ring.first...ring.next).contains(opened.next) else {
            _ = finish(.brokenProtocol)
            return
        }
        ring.isPinned = false
        phase = .streaming
        attempts = 0
        retryAfter = nil
        lastSession = now
        if isSourceEnded, !ring.isAllAcknowledged { settledSince = now }
        sent = opened.next
        note(opened.next, opened.durability, isWanted: false, at: now)
    }

    private mutating func acknowledged(_ next: UInt64, _ durability: UploadDurability, at now: Instant) {
        switch phase {
        case .streaming, .leaving: break
        case .idle, .connecting, .greeting, .over: return
        }
        guard next <= sent else {
            _ = finish(.brokenProtocol)
            return
        }
        lastSession = now
        note(next, durability, isWanted: true, at: now)
    }

    /// Takes in a count; the number to go on with says nothing of storage, where that is what counts.
    private mutating func note(_ next: UInt64, _ durability: UploadDurability, isWanted: Bool, at now: Instant) {
        let before = ring.acknowledged
        let count = isWanted || durability != .stored ? next : min(next, before)
        ring.acknowledge(below: count, retention: durability.mayBeLost ? UploadLimits.retention : .zero)
        if ring.acknowledged != before, isSourceEnded { settledSince = now }
        report.acknowledgedCount = ring.acknowledged
        report.durability = durability
    }

    // MARK: Codes

    private static let takenOverCode: UInt16 = 4009
    /// What was asked for is not served, or the device broke a rule: it would again.
    private static let finalCodes: Set<UInt16> = [1002, 1003, 1007, 1008, 1009]
    private static let finalStatuses: Set<Int> = [400, 401, 403, 404, 426]
}
