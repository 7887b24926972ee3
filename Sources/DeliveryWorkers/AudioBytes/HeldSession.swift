import AudioCodecs
import EarshotModel
import NIOCore
import WorkerRuntime

/// A session's frames that some endpoint has not settled, as they came; decoded when a window of them is whole.
///
/// A run is audio without a gap. A window never spans two runs, so that its capture time holds for all of it.
struct HeldSession {
    private struct Frame {
        let sequence: UInt64
        let firstSample: UInt64
        let samples: Int
        let captureTime: Int64
        let bytes: ByteBuffer

        var end: UInt64 { firstSample + UInt64(samples) }
    }

    private let parameters: SessionParameters
    private let decoder: FrameDecoder
    private var frames: [Frame] = []
    /// Where a run was ended although what followed was not known yet; nothing reaches across.
    private(set) var breaks: [UInt64]
    /// The number behind the last frame.
    private(set) var nextSequence: UInt64
    /// The position behind the last sample; `nil` before the first frame.
    private(set) var endSample: UInt64?

    /// Audio before a window with which its decoder is warmed up: five times what RFC 7845 asks for, so that a sample
    /// differs from that of a decoder that never stopped by its rounding at most.
    private static let warmUpMilliseconds: UInt64 = 400

    init(
        _ parameters: SessionParameters, from sequence: UInt64, breaks: [UInt64] = []
    ) throws(AudioCodecError) {
        self.parameters = parameters
        self.breaks = breaks
        nextSequence = sequence
        decoder = try FrameDecoder(parameters)
    }

    /// How much audio is held.
    var duration: Duration {
        let samples = (endSample ?? 0) - (frames.first?.firstSample ?? endSample ?? 0)
        return .microseconds(Int64(samples) * 1_000_000 / Int64(parameters.sampleRate))
    }

    /// Bytes held.
    var byteCount: Int { frames.reduce(0) { $0 + $1.bytes.readableBytes } }

    /// The run that a position lies in, or the next one: its samples from the first that is held, and whether another
    /// begins behind it.
    func run(from position: UInt64) -> (samples: Range<UInt64>, isOver: Bool)? {
        guard var index = frames.firstIndex(where: { $0.end > position }) else { return nil }
        let start = frames[index].firstSample
        while index + 1 < frames.count, !isBroken(before: index + 1) { index += 1 }
        let end = frames[index].end
        return (start..<end, index + 1 < frames.count || breaks.contains(end))
    }

    /// Ends the last run where it stands: what comes behind it begins another.
    ///
    /// - Returns: Whether it was open.
    mutating func endRun() -> Bool {
        guard let end = frames.last?.end, breaks.last != end else { return false }
        breaks.append(end)
        return true
    }

    /// Whether audio is missing before a frame, the device paused, or the run was ended there.
    private func isBroken(before index: Int) -> Bool {
        let (last, next) = (frames[index - 1], frames[index])
        let end = last.captureTime + Int64(last.samples) * 1_000_000 / Int64(parameters.sampleRate)
        return next.firstSample != last.end || next.captureTime - end > AudioEntry.captureJoinMaximum
            || breaks.contains(last.end)
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
        return first.firstSample
    }

    /// The samples of a range that is held as a whole, with the time of its first.
    ///
    /// Each range is decoded from a warm-up of its own: whoever does it again, after a crash, gets the same samples.
    func cut(_ range: Range<UInt64>) -> (pcm: [UInt8], captureTime: Int64) {
        decoder.reset()
        var pcm: [Int16] = []
        var start = range.lowerBound
        for frame in frames[warmUp(of: range.lowerBound)...] where frame.firstSample < range.upperBound {
            if pcm.isEmpty { start = frame.firstSample }
            pcm += decoder.decode(frame.bytes, samples: frame.samples)
        }
        let lower = Int(max(range.lowerBound, start) - start)
        let upper = min(pcm.count, Int(range.upperBound - start))
        let frame = frames.last { $0.firstSample <= range.lowerBound }
        let offset = frame.map { Int64(range.lowerBound - $0.firstSample) * 1_000_000 / Int64(parameters.sampleRate) }
        return (
            PCM.littleEndianBytes(pcm[min(lower, upper)..<upper]), (frame?.captureTime ?? 0) + (offset ?? 0)
        )
    }

    /// The place of the frame with which the decoder begins, for samples from a position on; never before a gap in
    /// the samples or a break.
    private func warmUp(of position: UInt64) -> Int {
        var index = frames.firstIndex { $0.end > position } ?? frames.endIndex
        while index > 0, index < frames.endIndex, frames[index - 1].end == frames[index].firstSample,
            frames[index - 1].end + warmUpSamples > position, !breaks.contains(frames[index - 1].end)
        {
            index -= 1
        }
        return index
    }

    private var warmUpSamples: UInt64 {
        parameters.codec.isOpus ? UInt64(parameters.sampleRate) * Self.warmUpMilliseconds / 1_000 : 0
    }

    /// Lets go of the frames that are settled: all before a position, but for what warms the decoder up.
    mutating func drop(settledBefore settled: UInt64) {
        let over = breaks.last { $0 <= settled } ?? 0
        frames.removeFirst(frames.prefix { $0.end <= over || $0.end + warmUpSamples <= settled }.count)
        breaks.removeAll { $0 <= (frames.first?.firstSample ?? settled) }
    }

    /// The first frame that a successor needs.
    var firstNeeded: UInt64 { frames.first?.sequence ?? nextSequence }
}
