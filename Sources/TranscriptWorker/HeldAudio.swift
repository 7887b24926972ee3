import EarshotModel
import NIOCore
import WorkerRuntime

/// The frames since the last restart point, and the mapping between frames, samples, and time.
struct HeldAudio {
    private let parameters: SessionParameters
    private(set) var frames: [HeldFrame] = []
    private(set) var byteCount = 0
    /// Where the current computation began.
    private(set) var restart: RestartPoint
    /// The frame it began in.
    private(set) var startSequence: UInt64
    /// Days that ended before the restart point and were not told yet.
    private var finishedDays: [DayUsage] = []

    init(parameters: SessionParameters, restart: RestartPoint, startSequence: UInt64) {
        self.parameters = parameters
        self.restart = restart
        self.startSequence = startSequence
    }

    /// The number behind the last frame.
    var endSequence: UInt64 { frames.last.map { $0.sequence + 1 } ?? startSequence }
    /// The position behind the last sample.
    var endSample: UInt64 { frames.last?.endSample ?? restart.sample }

    /// Takes in the new frames of an entry.
    mutating func append(_ entry: LaneEntry) {
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
                frames.append(
                    HeldFrame(
                        sequence: sequence, bytes: bytes, samples: samples, firstSample: sample,
                        captureTime: audio.captureTime + offset))
                byteCount += view.count
            }
            sample += UInt64(samples)
        }
    }

    /// Samples to leave out of a frame because they lie before the restart point.
    func skip(of frame: HeldFrame) -> Int { frame.sequence == startSequence ? Int(restart.skip) : 0 }

    /// Moves the restart point to the greatest boundary not behind a position; Opus has them between packets, PCM
    /// between samples.
    ///
    /// - Parameters:
    ///   - position: 16 kHz samples since the current restart point.
    ///   - brokenSequences: frames since then that could not be decoded; those at or behind the new point are met
    ///   again.
    mutating func moveRestart(to position: Int, brokenSequences: [UInt64]) {
        guard let (index, wanted) = place(position) else { return }
        let frame = frames[index]
        var next = RestartPoint()
        if !parameters.codec.isOpus, wanted < frame.endSample {
            next.skip = UInt32(clamping: wanted - frame.firstSample)
        }
        next.sample = max(restart.sample, frame.firstSample + UInt64(next.skip))
        // A point never moves back: the skip of the frame it was in stays.
        if frame.sequence == startSequence { next.skip = max(next.skip, restart.skip) }
        next.corruptFrames = restart.corruptFrames + UInt64(brokenSequences.filter { $0 < frame.sequence }.count)
        count(upTo: index, skip: Int(next.skip))
        next.usage = restart.usage
        drop(upTo: index)
        restart = next
        startSequence = frame.sequence
    }

    /// Moves the restart point behind everything.
    mutating func moveRestartToEnd(brokenSequences: [UInt64]) {
        var next = RestartPoint()
        next.sample = endSample
        next.corruptFrames = restart.corruptFrames + UInt64(brokenSequences.count)
        count(upTo: frames.count, skip: 0)
        next.usage = restart.usage
        startSequence = endSequence
        restart = next
        drop(upTo: frames.count)
    }

    /// The held frame and the session's sample at a 16 kHz position since the restart point.
    ///
    /// Counted along the frames the computation had, because the stream may have gaps between them.
    private func place(_ position: Int) -> (index: Int, sample: UInt64)? {
        guard !frames.isEmpty else { return nil }
        var left = position * parameters.sampleRate / SpeechLane.sampleRate
        var index = 0
        while index < frames.count - 1 {
            let usable = max(0, frames[index].samples - skip(of: frames[index]))
            guard left >= usable else { break }
            left -= usable
            index += 1
        }
        return (index, frames[index].firstSample + UInt64(skip(of: frames[index]) + left))
    }

    private mutating func drop(upTo index: Int) {
        byteCount -= frames[..<index].reduce(0) { $0 + $1.bytes.readableBytes }
        frames.removeFirst(index)
    }

    /// Unix µs right behind the last sample; `nil` when nothing is held.
    var endCaptureTime: Int64? {
        frames.last.map { $0.captureTime + Int64($0.samples) * 1_000_000 / Int64(parameters.sampleRate) }
    }

    /// Unix µs at which a 16 kHz sample since the restart point was captured.
    func captureTime(of position: Int) -> Int64? {
        guard let (index, sample) = place(position) else { return nil }
        let frame = frames[index]
        return frame.captureTime + Int64(sample - frame.firstSample) * 1_000_000 / Int64(parameters.sampleRate)
    }

    // MARK: Usage

    /// Counts what lies between the restart point and a place in a frame, each frame on the day of its first sample.
    private mutating func count(upTo index: Int, skip: Int) {
        for frame in frames[..<index] { count(frame.samples - self.skip(of: frame), of: frame) }
        guard index < frames.count else { return }
        count(skip - self.skip(of: frames[index]), of: frames[index])
    }

    private mutating func count(_ samples: Int, of frame: HeldFrame) {
        guard samples > 0 else { return }
        if let day = restart.usage.add(received: UInt64(samples), on: UTCDay(of: frame.captureTime)) {
            finishedDays.append(day)
        }
    }

    /// Counts speech that became text.
    ///
    /// It lies in front of the restart point now, and counts for the day up to there: midnight cuts no utterance.
    mutating func transcribed(_ samples: Int) {
        restart.usage.transcribed +=
            UInt64(max(0, samples)) * UInt64(parameters.sampleRate) / UInt64(SpeechLane.sampleRate)
    }

    /// The totals that are to be told now: of days that are over, and of the day when enough has come since the last
    /// time, or nothing more will.
    mutating func takeUsage(every interval: Duration, isDone: Bool) -> [SessionUsage] {
        var due = finishedDays
        finishedDays = []
        let more = restart.usage.received - restart.usage.told
        if more > 0, isDone || Double(more) >= interval / .seconds(1) * Double(parameters.sampleRate) {
            restart.usage.told = restart.usage.received
            due.append(restart.usage)
        }
        let rate = Double(parameters.sampleRate)
        return due.compactMap { usage in
            usage.day.map {
                SessionUsage(
                    day: $0, receivedSeconds: Double(usage.received) / rate,
                    transcribedSeconds: Double(usage.transcribed) / rate)
            }
        }
    }
}
