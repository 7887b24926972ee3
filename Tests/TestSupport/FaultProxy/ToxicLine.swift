import NIOCore

/// One direction of a proxied connection: takes what came in, and says what to do with it when.
///
/// It holds at most `capacity` bytes and what one more read brings; whoever reads asks `wantsBytes` first.
struct ToxicLine {
    enum Step: Equatable {
        case write(ByteBuffer)
        case wait(until: NIODeadline)
        /// Nothing to do until something happens.
        case idle
        /// Passes the end of the stream on.
        case finish
        /// Closes the whole connection.
        case close
        /// Closes it with RST.
        case reset
    }

    /// Enough for 1 MB/s over 250 ms of latency; more would hide from the sender that the line is slow.
    static let capacity = 256 * 1024
    /// A bandwidth is kept to in pieces of this share of a second, so that data trickles and does not come in bursts.
    private static let pacingShare = 20

    private struct Chunk {
        var bytes: ByteBuffer
        var due: NIODeadline
    }

    private var toxics: Toxics
    /// When the present toxics began to count for this connection.
    private var since: NIODeadline
    private var chunks = CircularBuffer<Chunk>()
    private var heldBytes = 0
    private var lastDue: NIODeadline
    private var pacedUntil: NIODeadline
    private var passedBytes = 0
    private var endedAt: NIODeadline?
    private(set) var hasFinished = false
    private var random: SeededGenerator

    init(_ toxics: Toxics, at now: NIODeadline, seed: UInt64) {
        self.toxics = toxics
        since = now
        lastDue = now
        pacedUntil = now
        random = SeededGenerator(seed: seed)
    }

    /// Whether more may be read from the source.
    var wantsBytes: Bool { endedAt == nil && heldBytes < Self.capacity }

    mutating func change(to toxics: Toxics, at now: NIODeadline) {
        guard toxics != self.toxics else { return }
        if toxics.limitData != self.toxics.limitData { passedBytes = 0 }
        self.toxics = toxics
        since = now
        pacedUntil = now
    }

    mutating func receive(_ bytes: ByteBuffer, at now: NIODeadline) {
        guard bytes.readableBytes > 0 else { return }
        // Order is kept whatever the jitter: this is TCP.
        lastDue = max(lastDue, now + delay())
        heldBytes += bytes.readableBytes
        chunks.append(Chunk(bytes: bytes, due: lastDue))
    }

    mutating func receiveEnd(at now: NIODeadline) {
        if endedAt == nil { endedAt = now }
    }

    /// What to do now; asked again after everything but `wait` and `idle`.
    mutating func next(at now: NIODeadline) -> Step {
        if let after = toxics.resetPeer { return passed(since + TimeAmount(after), at: now, then: .reset) }
        if let after = toxics.timeout {
            return after == .zero ? .idle : passed(since + TimeAmount(after), at: now, then: .close)
        }
        if let limit = toxics.limitData, passedBytes >= limit { return .close }
        guard let first = chunks.first else { return nextAtEnd(now) }
        let due = max(first.due, pacedUntil)
        guard now >= due else { return .wait(until: due) }
        return .write(take(at: now))
    }

    private func passed(_ due: NIODeadline, at now: NIODeadline, then step: Step) -> Step {
        now >= due ? step : .wait(until: due)
    }

    private mutating func nextAtEnd(_ now: NIODeadline) -> Step {
        guard let endedAt, !hasFinished else { return .idle }
        let due = endedAt + TimeAmount(toxics.slowClose ?? .zero)
        guard now >= due else { return .wait(until: due) }
        hasFinished = true
        return .finish
    }

    /// Takes the next piece out and paces what follows.
    private mutating func take(at now: NIODeadline) -> ByteBuffer {
        let first = chunks.startIndex
        var size = chunks[first].bytes.readableBytes
        if let limit = toxics.limitData { size = min(size, limit - passedBytes) }
        if let slicer = toxics.slicer {
            let spread = max(0, min(slicer.variation, slicer.averageBytes - 1))
            size = min(size, slicer.averageBytes + Int.random(in: -spread...spread, using: &random))
            pacedUntil = now + TimeAmount(slicer.delay)
        }
        if let bandwidth = toxics.bandwidth {
            size = min(size, max(1, bandwidth / Self.pacingShare))
            let time = TimeAmount.nanoseconds(Int64(size) * 1_000_000_000 / Int64(max(1, bandwidth)))
            pacedUntil = max(pacedUntil, now + time)
        }
        let piece = chunks[first].bytes.readSlice(length: size) ?? ByteBuffer()
        if chunks[first].bytes.readableBytes == 0 { chunks.removeFirst() }
        heldBytes -= size
        passedBytes += size
        return piece
    }

    private mutating func delay() -> TimeAmount {
        guard let latency = toxics.latency else { return .zero }
        let jitter = TimeAmount(latency.jitter).nanoseconds
        let drawn = jitter > 0 ? Int64.random(in: -jitter...jitter, using: &random) : 0
        return .nanoseconds(max(0, TimeAmount(latency.delay).nanoseconds + drawn))
    }
}
