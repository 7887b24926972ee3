import AudioStreams
import EarshotModel
import Logging
import NIOCore

// What the device is told of its messages, and what the registry keeps of that for a resume (protocol.md H9, H10).
extension NativeSession {
    /// How far the connection's messages are.
    struct Acknowledgements {
        /// `nil` until the first session is open.
        var ledger: AckLedger?
        /// Where the device waits for stored audio.
        var stored: StoredChain?
        /// What was appended last and counts.
        var covered: SessionAudio.Covered?
        /// What the registry has of it.
        var noted: UInt64 = 0
        /// What the device was told last.
        var told: AckLedger.Promise?
        /// Whether it was asked what of it is on disk.
        var isAskingDisk = false
        /// Whether the Redis of this connection is known to have what was appended: it had a tail behind it.
        var isHere = true

        mutating func begin(_ parameters: NativeParameters?, _ session: SessionID, next: UInt64, first: UInt64) {
            let wanted = parameters?.durability ?? .fsynced
            ledger = AckLedger(wanted: wanted, next: next, first: min(first, next))
            if wanted == .stored { stored = StoredChain(session) }
            noted = next
        }
    }

    /// What can be promised now.
    var currentPromise: AckLedger.Promise {
        let isStoring = stream?.registration.grant.flags.contains(.privateCloud) == true
        return acknowledgements.ledger?.promise(store: loop.storeDurability ?? .memory, isStoring: isStoring)
            ?? AckLedger.Promise(next: 0, durability: .redis)
    }

    /// Appends up to there were answered, and the session was unchanged behind them.
    func tailHeld(_ covered: SessionAudio.Covered) {
        acknowledgements.covered = covered
        acknowledgements.ledger?.appended(below: covered.next)
        acknowledgements.isHere = true
        watchMemory()
    }

    /// Once a second: tells the device, and the registry.
    func acknowledge() {
        askStored()
        askDisk()
        note()
        // Until it is known what Redis has, and what that is worth, the device only hears again what it knows.
        guard let promise = canPromise ? currentPromise : acknowledgements.told,
            promise != acknowledgements.told || acknowledgements.ledger?.isOwed(promise) == true
        else { return }
        tell(promise)
    }

    private var canPromise: Bool { loop.storeDurability != nil && stream?.verification.isPending != true }

    /// The last word of a connection.
    func acknowledgeAtClose() {
        guard acknowledgements.ledger != nil, canPromise else { return }
        tell(currentPromise)
    }

    private func tell(_ promise: AckLedger.Promise) {
        acknowledgements.told = promise
        send(text: NativeMessage.acknowledgement(next: promise.next, durability: promise.durability))
    }

    /// Stores how far the session is, so that whoever continues it need not ask for more than that.
    private func note() {
        guard let covered = acknowledgements.covered, covered.next > acknowledgements.noted, let stream,
            loop.isStoreKnown, !stream.verification.isPending
        else { return }
        acknowledgements.noted = covered.next
        loop.appender.note(
            id, epoch: stream.registration.grant.epoch, last: covered.next - 1, capture: covered.capture, in: partition
        ) { [self] result in
            if case .failure(let error) = result {
                acknowledgements.noted = 0
                logger.warning("the registry was not told how far a session is", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Where Redis answers before it writes to disk.
    private func askDisk() {
        guard loop.storeDurability == .diskLater, acknowledgements.isHere, !acknowledgements.isAskingDisk,
            let ledger = acknowledgements.ledger, ledger.onDisk < ledger.appended
        else { return }
        acknowledgements.isAskingDisk = true
        loop.appender.whenOnDisk { [self] answer in
            acknowledgements.isAskingDisk = false
            if answer == .onDisk { acknowledgements.ledger?.onDisk(below: ledger.appended) }
        }
    }

    // MARK: Stored audio

    private func askStored() {
        guard let chain = acknowledgements.stored else { return }
        let session = chain.current
        loop.appender.askProgress(of: session, group: .privateCloud, in: partition) { [self] result in
            guard case .success(let progress) = result, acknowledgements.stored?.current == session else { return }
            let next = acknowledgements.stored?.progressed(to: progress.next, isDone: progress.isDone)
            if let next = next.flatMap(\.self) { acknowledgements.ledger?.stored(below: next) }
        }
    }

    /// Older sessions of the chain may have audio that the device still keeps, because it is not stored yet.
    func learnChain(_ session: SessionID, _ link: AudioAppender.Link, end: UInt64, first: UInt64) {
        guard var chain = acknowledgements.stored, chain.count < limits.storedChainMaximum else { return }
        chain.precede(session, end: end)
        acknowledgements.stored = chain
        guard link.from > first, let predecessor = link.predecessor else { return }
        loop.appender.askLink(of: predecessor, in: partition) { [self] result in
            guard case .success(let older?) = result else { return }
            learnChain(predecessor, older, end: link.from, first: first)
        }
    }
}
