package import NIOCore

/// The frames of one session that wait to be appended, already in their binary form.
///
/// The gateway writes each frame once, straight from the socket's buffer; `close` puts the header in front. A value is
/// reused for the session's next batch.
package struct FrameBatch: Sendable {
    private var payload = ByteBuffer()
    /// Number of the batch's first frame.
    package private(set) var firstSequence: UInt64 = 0
    private var firstSample: UInt64 = 0
    private var captureTime: Int64 = 0
    /// Frames in the batch.
    package private(set) var frameCount = 0
    /// Samples in the batch.
    package private(set) var sampleCount = 0

    /// An empty batch.
    package init() {}

    /// Bytes of payload so far, with the frames' lengths.
    package var byteCount: Int { payload.readableBytes }
    /// Whether nothing waits.
    package var isEmpty: Bool { frameCount == 0 }

    /// Adds a frame.
    ///
    /// - Parameters:
    ///   - frame: the message's bytes.
    ///   - samples: how many samples it holds.
    ///   - sequence: its number in the session.
    ///   - firstSample: position of its first sample in the session.
    ///   - captureTime: Unix µs of its first sample.
    package mutating func append(
        _ frame: ByteBuffer, samples: Int, sequence: UInt64, firstSample: UInt64, captureTime: Int64
    ) {
        if frameCount == 0 {
            self.firstSequence = sequence
            self.firstSample = firstSample
            self.captureTime = captureTime
        }
        frameCount += 1
        sampleCount += samples
        payload.writeInteger(UInt32(frame.readableBytes))
        payload.writeImmutableBuffer(frame)
    }

    /// Takes the batch out as a stream entry and leaves this value empty.
    ///
    /// - Returns: the entry's binary form.
    package mutating func close(
        session: SessionID, epoch: UInt64, flags: WorkerFlags, language: String
    ) -> ByteBuffer {
        var entry = ByteBuffer()
        entry.reserveCapacity(AudioEntry.headerLength + language.utf8.count + payload.readableBytes)
        AudioEntry.writeFramesHeader(
            session: session, epoch: epoch, firstSequence: firstSequence, firstSample: firstSample,
            sampleCount: UInt32(clamping: sampleCount), count: UInt16(clamping: frameCount), captureTime: captureTime,
            flags: flags, language: language, into: &entry)
        entry.writeImmutableBuffer(payload)
        payload.clear()
        frameCount = 0
        sampleCount = 0
        return entry
    }
}
