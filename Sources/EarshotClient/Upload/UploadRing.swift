import NIOCore

/// What an upload still has to give: the messages that are not acknowledged, and of those that are, the last seconds
/// where the server may lose them; pure.
struct UploadRing {
    private var frames: CircularBuffer<UploadFrame> = []
    private var bytes = 0
    /// Audio in the acknowledged messages that are kept.
    private var retained = Duration.zero
    /// Number of the oldest message that is there.
    private(set) var first: UInt64 = 0
    /// Messages below are acknowledged.
    private(set) var acknowledged: UInt64 = 0

    /// Whether the server is being told the oldest number, which therefore must stay: it counts from there.
    var isPinned = false

    private let bytesMax: Int
    private let framesMax: Int

    init(bytesMax: Int = UploadLimits.heldBytesMax, framesMax: Int = UploadLimits.heldFramesMax) {
        self.bytesMax = bytesMax
        self.framesMax = framesMax
    }

    /// The number the next message gets.
    var next: UInt64 { first + UInt64(frames.count) }
    /// Whether one more message may come; acknowledged ones give way.
    var hasRoom: Bool { (bytes < bytesMax && frames.count < framesMax) || (first < acknowledged && !isPinned) }
    var isAllAcknowledged: Bool { acknowledged == next }

    /// The message of a number; `nil` when it is not there any more, or not yet.
    subscript(number: UInt64) -> UploadFrame? {
        guard number >= first, number < next else { return nil }
        return frames[offset: Int(number - first)]
    }

    mutating func append(_ frame: UploadFrame) {
        frames.append(frame)
        bytes += frame.payload.readableBytes
        while bytes > bytesMax || frames.count > framesMax, first < acknowledged, !isPinned { removeFirst() }
    }

    /// Takes in how many messages are acknowledged, which may be fewer than before, and forgets what is not needed.
    ///
    /// - Parameters:
    ///   - number: messages below it are acknowledged.
    ///   - retention: how much acknowledged audio is kept.
    mutating func acknowledge(below number: UInt64, retention: Duration) {
        let number = min(max(number, first), next)
        if number > acknowledged {
            for index in acknowledged..<number { retained += self[index]?.duration ?? .zero }
        } else {
            for index in number..<acknowledged { retained -= self[index]?.duration ?? .zero }
        }
        acknowledged = number
        while first < acknowledged, let oldest = frames.first, retained - oldest.duration >= retention { removeFirst() }
    }

    private mutating func removeFirst() {
        guard let frame = frames.popFirst() else { return }
        first += 1
        bytes -= frame.payload.readableBytes
        retained -= frame.duration
    }
}
