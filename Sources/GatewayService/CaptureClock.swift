import EarshotModel

/// Assigns capture times to a session's audio: the device's own pace, re-anchored when the device paused.
///
/// Audio that arrives in a burst after our own back-pressure was captured at its own pace, so a gap counts as the
/// device's only as far as we were reading.
struct CaptureClock {
    private let sampleRate: Int64
    private let gapMinimum: Int64
    /// Capture time of a sample, in Unix µs, and the samples since: counted from there, no rounding adds up.
    private var anchor: (capture: Int64, samples: Int64)?
    /// How far arrival may lag behind capture because we did not read.
    private var slack: Int64 = 0

    init(sampleRate: Int, gapMinimum: Duration) {
        self.sampleRate = Int64(sampleRate)
        self.gapMinimum = gapMinimum.microseconds
    }

    /// Takes in a message.
    ///
    /// - Parameters:
    ///   - samples: what it holds.
    ///   - arrival: Unix µs at which it was read.
    /// - Returns: the capture time of its first sample.
    mutating func advance(samples: Int, arrival: Int64) -> Int64 {
        let start = arrival - duration(of: Int64(samples))
        let predicted = anchor.map { $0.capture + duration(of: $0.samples) } ?? start
        let lag = start - predicted
        slack = min(slack, max(0, lag))
        let capture = lag - slack > gapMinimum ? start : predicted
        if capture == start { slack = 0 }
        if anchor == nil || capture != predicted { anchor = (capture, 0) }
        anchor?.samples += Int64(samples)
        return capture
    }

    private func duration(of samples: Int64) -> Int64 { samples * 1_000_000 / sampleRate }

    /// Goes on where the device's earlier connection was: what comes now was kept since then, and comes in a burst.
    mutating func resume(at capture: Int64, now: Int64) {
        anchor = (capture, 0)
        slack = max(0, now - capture)
    }

    /// Notes that the socket was not read for a while.
    mutating func paused(for duration: Int64) { slack += duration }
}
