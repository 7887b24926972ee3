import AudioCodecs
import EarshotModel
import NIOCore
import WorkerRuntime

/// A session's frames that some endpoint has not settled, as they came; decoded only when a window of them is whole.
///
/// A run is audio without a gap. A window never spans two runs, so that its capture time holds for all of it.
struct HeldSession {
    private struct Frame {
        let sequence: UInt64
        let firstSample: UInt64
        let samples: Int
        let captureTime: Int64
        /// `nil` once it was decoded; its place is still needed for commits.
        var bytes: ByteBuffer?

        var end: UInt64 { firstSample + UInt64(samples) }
    }

    private let parameters: SessionParameters
    private let gapMinimum: Int64
    private let decoder: FrameDecoder
    private var frames: [Frame] = []
    private var undecoded = 0
    private var pcm: [Int16] = []
    private var pcmStart: UInt64 = 0
    /// The number behind the last frame.
    private(set) var nextSequence: UInt64
    /// The position behind the last sample; `nil` before the first frame.
    private(set) var endSample: UInt64?
    private var endCaptureTime: Int64 = 0

    /// Frames before the first needed one with which a decoder is warmed up: 80 ms, more than Opus remembers.
    private static let warmUpMilliseconds: UInt64 = 80

    init(_ parameters: SessionParameters, from sequence: UInt64, gapMinimum: Duration) throws(AudioCodecError) {
        self.parameters = parameters
        self.gapMinimum = gapMinimum.microseconds
        nextSequence = sequence
        decoder = try FrameDecoder(parameters)
    }

    var corruptFrames: UInt64 { decoder.corruptFrames }

    /// Bytes held, encoded and decoded.
    var byteCount: Int { pcm.count * 2 + frames.reduce(0) { $0 + ($1.bytes?.readableBytes ?? 0) } }

    /// Whether audio is missing before an entry, or the device paused: open windows end there.
    func hasGap(before entry: LaneEntry) -> Bool {
        guard let endSample else { return false }
        var first: Frame?
        forEachFrame(of: entry) { frame in first = first ?? frame }
        guard let first else { return false }
        return first.firstSample != endSample || first.captureTime - endCaptureTime >= gapMinimum
    }

    private func forEachFrame(of entry: LaneEntry, _ body: (Frame) -> Void) {
        guard let audio = entry.audio else { return }
        var sample = audio.firstSample
        for (index, bytes) in audio.frames.enumerated() {
            let sequence = audio.firstSequence + UInt64(index)
            let view = bytes.readableBytesView
            let samples = parameters.codec.samples(
                first: view.first, second: view.dropFirst().first, byteCount: view.count,
                sampleRate: parameters.sampleRate)
            if sequence >= entry.firstSequence {
                let offset = Int64(sample - audio.firstSample) * 1_000_000 / Int64(parameters.sampleRate)
                body(
                    Frame(
                        sequence: sequence, firstSample: sample, samples: samples,
                        captureTime: audio.captureTime + offset, bytes: bytes))
            }
            sample += UInt64(samples)
        }
    }

    /// Takes in the new frames of an entry.
    ///
    /// - Returns: The position at which they begin; `nil` when there are none.
    mutating func append(_ entry: LaneEntry) -> UInt64? {
        var added: [Frame] = []
        forEachFrame(of: entry) { added.append($0) }
        guard let first = added.first, let last = added.last else { return nil }
        frames += added
        nextSequence = last.sequence + 1
        endSample = last.end
        endCaptureTime = last.captureTime + Int64(last.samples) * 1_000_000 / Int64(parameters.sampleRate)
        return first.firstSample
    }

    /// The samples of a range that is held as a whole, with the time of its first.
    mutating func cut(_ range: Range<UInt64>) -> (pcm: [UInt8], captureTime: Int64) {
        decode(through: range.upperBound)
        let lower = Int(max(range.lowerBound, pcmStart) - pcmStart)
        let upper = min(pcm.count, Int(range.upperBound - pcmStart))
        let frame = frames.last { $0.firstSample <= range.lowerBound }
        let offset = frame.map { Int64(range.lowerBound - $0.firstSample) * 1_000_000 / Int64(parameters.sampleRate) }
        return (
            PCM.littleEndianBytes(pcm[min(lower, upper)..<upper]), (frame?.captureTime ?? 0) + (offset ?? 0)
        )
    }

    private mutating func decode(through end: UInt64) {
        while undecoded < frames.count, frames[undecoded].firstSample < end {
            let frame = frames[undecoded]
            if frame.firstSample != pcmStart + UInt64(pcm.count) {
                // A run begins; the windows of the one before were cut.
                pcm = []
                pcmStart = frame.firstSample
            }
            if let bytes = frame.bytes { pcm += decoder.decode(bytes, samples: frame.samples) }
            frames[undecoded].bytes = nil
            undecoded += 1
        }
    }

    /// Lets go of what lies before two positions: samples that are in windows, and frames that are settled.
    mutating func drop(cutBefore cut: UInt64, settledBefore settled: UInt64) {
        decode(through: cut)
        if cut > pcmStart {
            let count = min(pcm.count, Int(cut - pcmStart))
            pcm.removeFirst(count)
            pcmStart += UInt64(count)
        }
        let warmUp = parameters.codec.isOpus ? UInt64(parameters.sampleRate) * Self.warmUpMilliseconds / 1_000 : 0
        let keep = settled > warmUp ? settled - warmUp : 0
        let count = frames.prefix { $0.end <= keep && $0.bytes == nil }.count
        frames.removeFirst(count)
        undecoded -= count
    }

    /// The first frame that a successor needs.
    var firstNeeded: UInt64 { frames.first?.sequence ?? nextSequence }
}
