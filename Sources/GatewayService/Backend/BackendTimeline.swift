import EarshotModel
import NIOCore

/// Gives the audio of a connection its capture times, by either version of the sender's timeline; pure.
struct BackendTimeline {
    /// Audio that is taken: whole samples of PCM16, and the Unix time in µs of the first.
    struct Piece: Equatable {
        let capture: Int64
        var pcm: ByteBuffer
    }

    let sampleRate: Int
    private let leadMaximum: Int64
    /// The first version: the timestamps are the last arrival less the buffered duration, so they jitter.
    private var clock: CaptureClock
    /// The second version: timestamps are exact, and what was sent may be sent again.
    private var runs: AudioRuns?

    init(sampleRate: Int, isExact: Bool, limits: Limits) {
        self.sampleRate = sampleRate
        leadMaximum = limits.backendClockLeadMaximum.microseconds
        clock = CaptureClock(sampleRate: sampleRate, gapMinimum: limits.backendGapMinimum)
        if isExact { runs = AudioRuns(sampleRate: sampleRate, bytesMaximum: limits.backendReplayBytesMaximum) }
    }

    /// Takes in audio that was read at `arrival`.
    ///
    /// Without a time, and with one so far ahead that it must be wrong, audio follows what came before.
    mutating func accept(
        time: Int64?, pcm: ByteBuffer, arrival: Int64
    ) -> (piece: Piece?, overlap: AudioRuns.Overlap?) {
        let samples = pcm.readableBytes / 2
        let duration = Int64(samples) * 1_000_000 / Int64(sampleRate)
        let time = time.flatMap { $0 <= arrival + leadMaximum ? $0 : nil }
        guard runs != nil else {
            let capture = clock.advance(samples: samples, arrival: time.map { $0 + duration } ?? arrival)
            return (Piece(capture: capture, pcm: pcm), nil)
        }
        let follows = max(runs?.end ?? 0, arrival - duration)
        return runs?.accept(time: time ?? follows, pcm: pcm) ?? (nil, nil)
    }
}
