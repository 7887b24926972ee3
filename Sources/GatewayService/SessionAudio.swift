import AudioStreams
import CoreMetrics
import EarshotModel
import Logging
import NIOCore

/// A registered session's way into the audio stream: its batch, its numbers, its tail checks and its end.
///
/// Whoever holds the socket appends frames and ends it, once.
final class SessionAudio {
    /// What the registry granted.
    struct Registration {
        let session: SessionID
        let user: UserID
        let partition: Partition
        let grant: SessionRegistration.Grant
        let epochNonce: UInt64
        let parameters: SessionParameters
    }

    /// Whoever holds the socket; it is told what only it can act on.
    protocol Owner: AnyObject {
        /// The store refused audio for good.
        func audioWasRefused()
        /// The session is another's or over: nothing more may be written for it (protocol.md C2).
        func epochWasLost()
        /// The conversation was closed for silence: what comes now belongs to another.
        func conversationWasClosed()
        /// What was appended counts up to somewhere.
        func tailHeld(_ covered: Covered)
        /// Redis lost what counted; it will not count again (protocol.md H10).
        func audioWasRolledBack()
    }

    /// Up to where appends were answered and found the session unchanged behind them (protocol.md C2).
    struct Covered: Equatable {
        /// The number behind the last frame.
        var next: UInt64
        /// Capture time right behind it, in Unix µs; 0 before the first frame.
        var capture: Int64
        /// Bytes of all the frames, since the session's start.
        var bytes: Int
    }

    let registration: Registration
    let loop: GatewayLoop
    private let logger: Logger
    private(set) weak var owner: (any Owner)?
    private var batch = FrameBatch()
    /// Capture time right behind the batch.
    private var batchEnd: Int64 = 0
    private var isScheduled = false
    private var batchBeganAt: NIODeadline
    /// Number of the next frame.
    private(set) var nextSequence: UInt64
    private var nextSample: UInt64 = 0
    /// What has been appended, be it answered or not.
    private var appended: Covered
    private var receivedBytes = 0
    private var coveredBytes = 0
    /// The number of the first frame that was lost: nothing from it on may count.
    private(set) var gap: UInt64?
    private let first: UInt64
    /// Where the last append stands that was answered.
    private var lastAppend: StreamPosition?
    var verification = Verification()
    private var lastTailAt: NIODeadline
    private var isEnding = false
    /// Whether it turned out at its end that somebody else had ended it: what came behind that is lost.
    private var wasCutOff = false
    /// Why not all of its audio counts, once it has ended.
    var whyLost: String? {
        if wasCutOff { return "the session was ended elsewhere" }
        return gap == nil ? nil : "the store did not take all of it"
    }

    private var limits: Limits { loop.configuration.limits }

    init(
        _ registration: Registration, first: UInt64 = 0, loop: GatewayLoop, owner: any Owner, logger: Logger
    ) {
        self.registration = registration
        self.first = first
        nextSequence = first
        appended = Covered(next: first, capture: 0, bytes: 0)
        self.loop = loop
        self.owner = owner
        self.logger = logger
        batchBeganAt = loop.now
        lastTailAt = loop.now
    }

    /// Bytes that wait for Redis, or for its answer.
    var heldBytes: Int { receivedBytes - coveredBytes }

    // MARK: Frames

    /// Takes in a frame; `capture` is the Unix time in µs of its first sample.
    func append(_ frame: ByteBuffer, samples: Int, capture: Int64) {
        guard !isEnding else { return loop.metrics.framesLost.increment() }
        if mustCloseBatch(before: frame.readableBytes, capture: capture) { flush() }
        if batch.isEmpty {
            batchBeganAt = loop.now
            if !isScheduled {
                isScheduled = true
                loop.scheduleBatch(of: self, after: TimeAmount(limits.batchDelay))
            }
        }
        batch.append(frame, samples: samples, sequence: nextSequence, firstSample: nextSample, captureTime: capture)
        batchEnd = capture + Int64(samples) * 1_000_000 / Int64(registration.parameters.sampleRate)
        nextSequence += 1
        receivedBytes += frame.readableBytes
        nextSample += UInt64(samples)
    }

    /// A batch is closed early at a gap in capture time, of which an entry can tell one only, and when the next frame
    /// would carry it over a step that wastes memory in Redis.
    private func mustCloseBatch(before bytes: Int, capture: Int64) -> Bool {
        guard !batch.isEmpty, let largest = limits.batchBytesSteps.last else { return false }
        if abs(capture - batchEnd) > AudioEntry.captureJoinMaximum { return true }
        let next = batch.byteCount + bytes + 4
        if next > largest || batch.frameCount >= limits.batchFramesMaximum { return true }
        guard loop.now - batchBeganAt >= TimeAmount(limits.batchDelay / 2) else { return false }
        return limits.batchBytesSteps.contains { batch.byteCount <= $0 && next > $0 }
    }

    // MARK: Appending

    /// The wheel says that the batch has waited long enough.
    func batchIsDue() {
        isScheduled = false
        guard !batch.isEmpty, !isEnding else { return }
        let age = loop.now - batchBeganAt
        guard age >= TimeAmount(limits.batchDelay) - TimeAmount(limits.tick) else {
            // It was closed early and began anew meanwhile.
            isScheduled = true
            loop.scheduleBatch(of: self, after: TimeAmount(limits.batchDelay) - age)
            return
        }
        flush()
    }

    /// Appends what waits, with the tail check behind it.
    private func flush() {
        guard !batch.isEmpty else { return }
        let frames = batch.frameCount
        let first = nextSequence - UInt64(frames)
        appended = Covered(next: nextSequence, capture: batchEnd, bytes: receivedBytes)
        let entry = batch.close(
            session: registration.session, epoch: registration.epochNonce, flags: registration.grant.flags,
            language: registration.parameters.language)
        loop.metrics.appends.increment()
        loop.appender.append(entry, of: registration.session, to: registration.partition) { [self] result in
            guard case .failure(let error) = result else {
                lastAppend = try? result.get()
                return
            }
            (error.code == .overtaken ? loop.metrics.appendsOvertaken : loop.metrics.appendsRefused).increment()
            loop.metrics.framesLost.increment(by: frames)
            gap = min(gap ?? first, first)
            logger.error("an append was refused", metadata: ["error": "\(error)", "frames": "\(frames)"])
            owner?.audioWasRefused()
        }
        checkTail(at: loop.now)
    }

    /// Checks the tail when that was not done for a while, because nothing was appended (protocol.md M17).
    func visit(at now: NIODeadline) {
        if !isEnding, now - lastTailAt >= TimeAmount(limits.ownershipCheckInterval) { checkTail(at: now) }
    }

    /// Asks whether the session is still this gateway's and open (protocol.md C2, M17).
    private func checkTail(at now: NIODeadline) {
        lastTailAt = now
        let covered = appended
        loop.appender.checkTail(
            of: registration.session, epoch: registration.grant.epoch, in: registration.partition
        ) { [self] tail in
            if tail != .lost { held(covered) }
            guard !isEnding else { return }
            switch tail {
            case .holds: return
            case .conversationClosed:
                owner?.conversationWasClosed()
                return
            case .lost: isEnding = true
            }
            loop.metrics.framesLost.increment(by: batch.frameCount)
            loop.metrics.tailsLost.increment()
            loop.metrics.ended(.superseded)
            logger.notice("the session is no longer this gateway's")
            owner?.epochWasLost()
        }
    }

    /// Everything up to there counts.
    func held(_ covered: Covered) {
        guard gap == nil else { return }
        guard !verification.isPending else {
            verification.held = covered
            return
        }
        if let lastAppend { verification.counted = (lastAppend, covered.next) }
        coveredBytes = max(coveredBytes, covered.bytes)
        owner?.tailHeld(covered)
    }

    /// Redis lost what counted, from a number on; `nil` when it does not know the session any more.
    func rolledBack(from reach: UInt64?, to next: UInt64) {
        let from = max(first, reach ?? first)
        loop.metrics.framesRolledBack.increment(by: next - min(from, next))
        logger.error(
            "Redis lost frames that were acknowledged",
            metadata: ["reason": "\(EndReason.redisRollback.name)", "from": "\(from)", "to": "\(next)"])
        guard registration.grant.flags.contains(.numbered) else {
            // Nobody has them any more; the session goes on, or its tail check ends it.
            if reach == nil { checkTail(at: loop.now) }
            return verified()
        }
        gap = from
        owner?.audioWasRolledBack()
    }

    /// Completes the conversation of a desktop that has closed in good order (omi.md 1.3).
    func completeAtOnce() {
        guard registration.parameters.source == "desktop" else { return }
        loop.appender.closeConversation(
            registration.grant.conversation, of: registration.user, in: registration.partition,
            now: WallClock.microseconds
        ) { [logger] result in
            if case .failure(let error) = result {
                logger.warning("a conversation was not closed", metadata: ["error": "\(error)"])
            }
        }
        loop.appender.flush(at: .now())
    }

    /// Another owner has the session: nothing more is written, and no end.
    func abandon() {
        guard !isEnding else { return }
        isEnding = true
        loop.metrics.ended(.superseded)
    }

    /// Appends what waits and the end marker behind it, once; `completion` runs when that is in Redis.
    func end(_ reason: EndReason, completion: @escaping () -> Void) {
        guard !isEnding else { return completion() }
        flush()
        isEnding = true
        loop.metrics.ended(reason)
        // What a numbered session lost comes again in the next one; the end must not say that readers had it.
        let frames = registration.grant.flags.contains(.numbered) ? gap ?? nextSequence : nextSequence
        let ending = SessionEnding(
            session: registration.session, user: registration.user, epoch: registration.grant.epoch,
            gateway: loop.configuration.incarnation, reason: reason, frames: frames, firstSample: nextSample,
            now: WallClock.microseconds)
        let covered = appended
        loop.appender.end(ending, in: registration.partition) { [self] result in
            switch result {
            // Answered only by the end that wrote the marker: all appends are before it.
            case .success(.ended):
                loop.endWasTaken(ending, in: registration.partition)
                held(covered)
            case .success(.alreadyEnded): return askWhoEnded(reason, completion: completion)
            case .success(.fenced), .success(.unknown): wasCutOff = true
            case .failure(let error):
                logger.error("an end was refused; it is asked for again", metadata: ["error": "\(error)"])
                if error.code != .cancelled { loop.endWasRefused(ending, in: registration.partition) }
            }
            completion()
        }
        loop.appender.flush(at: .now())
    }

    /// An end that is repeated, because its answer was lost with a connection, finds its own.
    private func askWhoEnded(_ reason: EndReason, completion: @escaping () -> Void) {
        loop.appender.askEndReason(of: registration.session, in: registration.partition) { [self] result in
            if case .success(let found) = result, found != reason { wasCutOff = true }
            completion()
        }
        loop.appender.flush(at: .now())
    }
}

extension SessionAudio.Owner {
    /// Only an endpoint with acknowledgements is interested.
    func tailHeld(_ covered: SessionAudio.Covered) {}
    /// Only a device that numbers its messages can send them again.
    func audioWasRolledBack() {}
}
