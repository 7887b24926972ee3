import AudioStorage
import EarshotModel
import NIOCore
import WorkerRuntime

/// The frames of the open part.
struct HeldPart {
    private(set) var frames: [PartFrame] = []
    private(set) var byteCount = 0
    /// Where they lie in time.
    private(set) var timeline: PartTimeline
    let isEncrypted: Bool
    /// When the first frame came in, on this process's clock.
    let since: ContinuousClock.Instant

    /// An open part whose first sample was captured at the timeline's start.
    init(timeline: PartTimeline, isEncrypted: Bool, since: ContinuousClock.Instant = .now) {
        self.timeline = timeline
        self.isEncrypted = isEncrypted
        self.since = since
    }

    /// Numbers of the first and last frame; `nil` while there is none.
    var bounds: ClosedRange<UInt64>? {
        guard let first = frames.first, let last = frames.last else { return nil }
        return first.sequence...last.sequence
    }

    /// The numbers within some bounds that no frame has: their entries were gone from the stream, or were buried.
    func missing(in bounds: ClosedRange<UInt64>) -> [ClosedRange<UInt64>] {
        var missing: [ClosedRange<UInt64>] = []
        var next = bounds.lowerBound
        for frame in frames {
            if frame.sequence > next { missing.append(next...frame.sequence - 1) }
            next = frame.sequence + 1
        }
        if next <= bounds.upperBound { missing.append(next...bounds.upperBound) }
        return missing
    }

    /// Seconds of the part if a frame were added, up to that frame's beginning.
    func seconds(before frame: PartFrame) -> Double {
        Double(timeline.samples + timeline.silence(before: frame.captureTime)) / Double(timeline.sampleRate)
    }

    mutating func append(_ frame: PartFrame) {
        timeline.add(samples: timeline.silence(before: frame.captureTime) + frame.samples)
        frames.append(frame)
        byteCount += frame.bytes.readableBytes
    }

    /// The new frames of an entry, each with its place in time.
    static func frames(of entry: LaneEntry, _ parameters: SessionParameters) -> [PartFrame] {
        guard let audio = entry.audio else { return [] }
        var sample: Int64 = 0
        var found: [PartFrame] = []
        for (index, bytes) in audio.frames.enumerated() {
            let view = bytes.readableBytesView
            let samples = parameters.codec.samples(
                first: view.first, second: view.dropFirst().first, byteCount: view.count,
                sampleRate: parameters.sampleRate)
            let sequence = audio.firstSequence + UInt64(index)
            if sequence >= entry.firstSequence {
                found.append(
                    PartFrame(
                        sequence: sequence, bytes: bytes, samples: samples,
                        captureTime: audio.captureTime + sample * 1_000_000 / Int64(parameters.sampleRate)))
            }
            sample += Int64(samples)
        }
        return found
    }
}
