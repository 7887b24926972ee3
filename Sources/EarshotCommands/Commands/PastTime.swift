import ArgumentParser
import EarshotModel
import FoundationEssentials

/// A time in the past as typed: `24h` ago, or `2026-11-24T10:00:00Z`.
struct PastTime: ExpressibleByArgument, Equatable {
    /// What a refusal may say.
    static let rule = "a time ago such as 45m, 24h or 7d, or a time such as 2026-11-24T10:00:00Z"

    /// Unix µs.
    let microseconds: Int64

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        let units: [Substring: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        if digits.count <= 6, let number = Int64(digits), let unit = units[argument[digits.endIndex...]] {
            microseconds = max(0, WallClock.microseconds - number * unit * 1_000_000)
            return
        }
        let styles = [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)]
        guard let date = styles.lazy.compactMap({ try? $0.parse(argument) }).first,
            date.timeIntervalSince1970 >= 0, date.timeIntervalSince1970 < 1e11
        else { return nil }
        microseconds = Int64(date.timeIntervalSince1970 * 1_000_000)
    }
}
