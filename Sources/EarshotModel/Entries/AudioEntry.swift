package import NIOCore

/// One entry of a partition's audio stream: a batch of frames of one session, or a marker.
///
/// The binary form is one Redis field: a header of fixed size behind a version byte, the language, then the frames,
/// each with a 32-bit length. All integers are big-endian.
package struct AudioEntry: Equatable, Sendable {
    /// What an entry carries.
    package enum Content: Equatable, Sendable {
        /// Frames, in order, the first with `firstSequence`.
        case frames([ByteBuffer])
        /// The session's end; nothing of it follows.
        case end(EndReason)
    }

    package var session: SessionID
    /// The nonce of the epoch under which the gateway wrote.
    package var epoch: UInt64
    /// Number of the first frame, counted from 0 over the session; of an end marker: the number of frames.
    package var firstSequence: UInt64
    /// Position of the first sample in the session, at the device's rate.
    package var firstSample: UInt64
    /// Samples in all frames together.
    package var sampleCount: UInt32
    /// Unix time in µs at which the first sample was captured, monotone in a session.
    package var captureTime: Int64
    package var flags: WorkerFlags
    package var channel: UInt8
    package var language: String
    package var content: Content

    /// Makes an entry.
    package init(
        session: SessionID, epoch: UInt64, firstSequence: UInt64, firstSample: UInt64, sampleCount: UInt32,
        captureTime: Int64, flags: WorkerFlags, channel: UInt8 = 0, language: String, content: Content
    ) {
        self.session = session
        self.epoch = epoch
        self.firstSequence = firstSequence
        self.firstSample = firstSample
        self.sampleCount = sampleCount
        self.captureTime = captureTime
        self.flags = flags
        self.channel = channel
        self.language = language
        self.content = content
    }

    /// The frames; none for a marker.
    package var frames: [ByteBuffer] {
        if case .frames(let frames) = content { frames } else { [] }
    }

    /// The number behind the last frame: the sequence the next entry of the session begins with.
    package var nextSequence: UInt64 { firstSequence + UInt64(frames.count) }

    /// Version of the binary form; a reader refuses any other.
    package static let version: UInt8 = 1
    /// Bytes in front of the language.
    package static let headerLength = 1 + 1 + 1 + 1 + 16 + 8 + 8 + 8 + 4 + 2 + 8 + 1

    /// Audio that was captured more µs than this behind the end of what came before lies behind a gap.
    ///
    /// Nothing is joined across it (omi.md 2.5). The gateway's clocks let no jitter through; their rounding is less.
    package static let captureJoinMaximum: Int64 = 1_000

    /// Why bytes are not an entry.
    package enum DecodingFailure: Error, Equatable {
        case unknownVersion(UInt8)
        case unknownKind(UInt8)
        case unknownReason(UInt8)
        case truncated
    }

    private enum Kind: UInt8 {
        case frames = 0
        case end = 1
    }

    /// Appends the binary form to a buffer.
    package func encode(into buffer: inout ByteBuffer) {
        switch content {
        case .frames(let frames):
            writeHeader(kind: .frames, count: UInt16(clamping: frames.count), into: &buffer)
            for frame in frames {
                buffer.writeInteger(UInt32(frame.readableBytes))
                buffer.writeImmutableBuffer(frame)
            }
        case .end(let reason):
            writeHeader(kind: .end, count: 0, into: &buffer)
            buffer.writeInteger(reason.rawValue)
        }
    }

    private func writeHeader(kind: Kind, count: UInt16, into buffer: inout ByteBuffer) {
        Self.writeHeader(
            kind: kind.rawValue, flags: flags, channel: channel, session: session, epoch: epoch,
            firstSequence: firstSequence, firstSample: firstSample, sampleCount: sampleCount, count: count,
            captureTime: captureTime, language: language, into: &buffer)
    }

    /// Writes the header of a batch whose frames are encoded already.
    static func writeFramesHeader(
        session: SessionID, epoch: UInt64, firstSequence: UInt64, firstSample: UInt64, sampleCount: UInt32,
        count: UInt16, captureTime: Int64, flags: WorkerFlags, language: String, into buffer: inout ByteBuffer
    ) {
        writeHeader(
            kind: Kind.frames.rawValue, flags: flags, channel: 0, session: session, epoch: epoch,
            firstSequence: firstSequence, firstSample: firstSample, sampleCount: sampleCount, count: count,
            captureTime: captureTime, language: language, into: &buffer)
    }

    private static func writeHeader(
        kind: UInt8, flags: WorkerFlags, channel: UInt8, session: SessionID, epoch: UInt64, firstSequence: UInt64,
        firstSample: UInt64, sampleCount: UInt32, count: UInt16, captureTime: Int64, language: String,
        into buffer: inout ByteBuffer
    ) {
        buffer.writeMultipleIntegers(version, kind, flags.rawValue, channel)
        buffer.writeMultipleIntegers(session.value.high, session.value.low, epoch, firstSequence, firstSample)
        buffer.writeMultipleIntegers(sampleCount, count, captureTime)
        let text = language.utf8.prefix(255)
        buffer.writeInteger(UInt8(text.count))
        buffer.writeBytes(text)
    }

    /// Reads the binary form.
    ///
    /// - Throws: `DecodingFailure` for anything that is not a whole entry of the known version.
    package init(decoding bytes: ByteBuffer) throws(DecodingFailure) {
        var buffer = bytes
        guard let version = buffer.readInteger(as: UInt8.self) else { throw .truncated }
        guard version == Self.version else { throw .unknownVersion(version) }
        guard
            let (kind, flags, channel) = buffer.readMultipleIntegers(as: (UInt8, UInt8, UInt8).self),
            let (high, low, epoch, firstSequence, firstSample) = buffer.readMultipleIntegers(
                as: (UInt64, UInt64, UInt64, UInt64, UInt64).self),
            let (sampleCount, count, captureTime) = buffer.readMultipleIntegers(as: (UInt32, UInt16, Int64).self),
            let languageLength = buffer.readInteger(as: UInt8.self),
            let language = buffer.readString(length: Int(languageLength))
        else { throw .truncated }
        let content: Content
        switch Kind(rawValue: kind) {
        case .frames: content = .frames(try Self.readFrames(count: Int(count), from: &buffer))
        case .end:
            guard let code = buffer.readInteger(as: UInt8.self) else { throw .truncated }
            guard let reason = EndReason(rawValue: code) else { throw .unknownReason(code) }
            content = .end(reason)
        case nil: throw .unknownKind(kind)
        }
        self.init(
            session: SessionID(UniqueID(high: high, low: low)), epoch: epoch, firstSequence: firstSequence,
            firstSample: firstSample, sampleCount: sampleCount, captureTime: captureTime,
            flags: WorkerFlags(rawValue: flags), channel: channel, language: language, content: content)
    }

    private static func readFrames(
        count: Int, from buffer: inout ByteBuffer
    ) throws(DecodingFailure) -> [ByteBuffer] {
        var frames: [ByteBuffer] = []
        frames.reserveCapacity(count)
        for _ in 0..<count {
            guard let length = buffer.readInteger(as: UInt32.self), let frame = buffer.readSlice(length: Int(length))
            else { throw .truncated }
            frames.append(frame)
        }
        return frames
    }
}
