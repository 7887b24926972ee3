import Glibc

/// A moment, written as `2026-03-01T12:00:00.000Z`.
struct UTCTimestamp: CustomStringConvertible {
    let seconds: Int
    let milliseconds: Int

    /// Now, by the system's clock.
    init() {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        self.init(seconds: Int(time.tv_sec), milliseconds: Int(time.tv_nsec) / 1_000_000)
    }

    init(seconds: Int, milliseconds: Int) {
        self.seconds = seconds
        self.milliseconds = milliseconds
    }

    var description: String {
        var moment = time_t(seconds)
        var parts = tm()
        gmtime_r(&moment, &parts)
        let date = "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
        let clock = "\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))"
        return "\(date)T\(clock).\(String(1000 + milliseconds).dropFirst())Z"
    }

    private func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
