import EarshotModel
import NIOCore

/// The receiver's rules for the second version of the audio timeline (omi.md 2.5); pure.
///
/// A gap begins a new run and nothing is joined across it. Audio that was taken before is compared with what was
/// taken: what is equal is left out, what differs is dropped, and what goes beyond the accepted end is kept.
struct AudioRuns {
    /// What became of audio in front of the accepted end.
    enum Overlap: String {
        /// All of the message was taken before.
        case replay
        /// The first part was, and the tail was kept.
        case trimmed
        /// It differs, or is too old to be compared; it is dropped.
        case conflict
    }

    /// Contiguous samples; the oldest may have been let go.
    private struct Run {
        let origin: Int64
        var forgotten = 0
        var pcm = ByteBuffer()

        var samples: Int { forgotten + pcm.readableBytes / 2 }
    }

    /// Runs kept for comparison: as many as the sender keeps anchors (omi.md 7.1).
    private static let runsMaximum = 64

    private let sampleRate: Int64
    private let bytesMaximum: Int
    private var runs: [Run] = []
    private var byteCount = 0

    init(sampleRate: Int, bytesMaximum: Int) {
        self.sampleRate = Int64(sampleRate)
        self.bytesMaximum = bytesMaximum
    }

    /// The accepted end: Unix µs right behind the last sample taken.
    var end: Int64? { runs.last.map(end(of:)) }

    /// Takes in audio with the Unix time in µs of its first sample.
    mutating func accept(
        time: Int64, pcm: ByteBuffer
    ) -> (piece: BackendTimeline.Piece?, overlap: Overlap?) {
        guard pcm.readableBytes > 0 else { return (nil, nil) }
        guard let end = self.end, time <= end + AudioEntry.captureJoinMaximum else {
            runs.append(Run(origin: time))
            return (keep(pcm, at: time), nil)
        }
        guard time < end - AudioEntry.captureJoinMaximum else { return (keep(pcm, at: end), nil) }
        var tail = pcm
        let overlapping = min(pcm.readableBytes / 2, samples(in: end - time))
        let repeated = tail.readSlice(length: overlapping * 2)
        guard let repeated, known(from: time, samples: overlapping) == repeated else {
            return (keep(tail, at: end), .conflict)
        }
        return (keep(tail, at: end), tail.readableBytes == 0 ? .replay : .trimmed)
    }

    private func end(of run: Run) -> Int64 { run.origin + Int64(run.samples) * 1_000_000 / sampleRate }

    private func samples(in microseconds: Int64) -> Int {
        Int((Double(microseconds) * Double(sampleRate) / 1_000_000).rounded())
    }

    /// What was taken there, if all of it is kept and in one run.
    private func known(from time: Int64, samples count: Int) -> ByteBuffer? {
        guard let run = runs.last(where: { $0.origin <= time + AudioEntry.captureJoinMaximum }) else { return nil }
        let offset = max(0, samples(in: time - run.origin)) - run.forgotten
        guard offset >= 0 else { return nil }
        return run.pcm.getSlice(at: run.pcm.readerIndex + offset * 2, length: count * 2)
    }

    private mutating func keep(_ pcm: ByteBuffer, at capture: Int64) -> BackendTimeline.Piece? {
        guard pcm.readableBytes > 0, let last = runs.indices.last else { return nil }
        runs[last].pcm.writeImmutableBuffer(pcm)
        byteCount += pcm.readableBytes
        forget()
        return BackendTimeline.Piece(capture: capture, pcm: pcm)
    }

    /// Lets go of the oldest half when there is too much.
    private mutating func forget() {
        while runs.count > Self.runsMaximum || (byteCount > bytesMaximum && runs.count > 1) {
            byteCount -= runs.removeFirst().pcm.readableBytes
        }
        guard byteCount > bytesMaximum, let last = runs.indices.last else { return }
        let dropped = byteCount / 4
        runs[last].pcm.moveReaderIndex(forwardBy: dropped * 2)
        runs[last].pcm.discardReadBytes()
        runs[last].forgotten += dropped
        byteCount -= dropped * 2
    }
}
